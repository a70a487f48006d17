/*
 * worker/views_field.c - see views_field.h.
 */
#include "worker/views_field.h"

#include "worker/names_text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define VALUE_BYTES (size_t)1024 /* of an encoding that is looked at */

/* The field's name without junk in front of it. */
static size_t
skip_junk(struct span line)
{
	size_t i = 0;

	while (i < line.len && !isalpha((unsigned char)line.at[i]))
		i++;
	return i;
}

bool
field_is_content(struct span line)
{
	const size_t i = skip_junk(line);

	return line.len - i > 12 &&
	       strncasecmp(line.at + i, "content-", 8) == 0 &&
	       strchr("tTdD", line.at[i + 8]);
}

/* Copy without comments, white space and case. */
static size_t
squeeze(struct span value, char *out, size_t size)
{
	unsigned depth = 0;
	size_t used = 0;

	for (size_t i = 0; i < value.len && used + 1 < size; i++) {
		const char c = value.at[i];

		if (c == '(')
			depth++;
		else if (c == ')' && depth > 0)
			depth--;
		else if (depth == 0 && (unsigned char)c > ' ')
			out[used++] = (char)tolower((unsigned char)c);
	}
	out[used] = '\0';
	return used;
}

static void
add_codec(struct block *b, enum codec codec)
{
	if (b->n_codecs++ == 0)
		b->first_codec = codec;
	b->last_codec = codec;
}

/* Every encoding that the value names, in the order of the words. */
static void
take_encoding(struct block *b, struct span value)
{
	static const struct word {
		const char *text;
		enum codec codec;
		bool is_exact; /* needs nothing around it */
	} words[] = {
	    {"base64", CODEC_BASE64, true},
	    {"quoted-printable", CODEC_QP, true},
	    {"x-uuencode", CODEC_UU, true},
	    {"7bit", CODEC_IDENTITY, true},
	    {"8bit", CODEC_IDENTITY, true},
	    {"binary", CODEC_IDENTITY, true},
	    {"64", CODEC_BASE64, false},
	    {"quot", CODEC_QP, false},
	    {"uu", CODEC_UU, false},
	    {"yenc", CODEC_YENC, false},
	    {"hex", CODEC_BINHEX, false},
	    {"bit", CODEC_IDENTITY, false},
	};
	char text[VALUE_BYTES];

	(void)squeeze(value, text, sizeof(text));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i].is_exact && strcmp(text, words[i].text) == 0) {
			b->is_odd |= memchr(value.at, '(', value.len) != NULL;
			add_codec(b, words[i].codec);
			return;
		}
	}
	b->is_odd = true;
	for (const char *p = text; *p; p++)
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (!words[i].is_exact &&
			    strncmp(p, words[i].text, strlen(words[i].text)) ==
				0)
				add_codec(b, words[i].codec);
}

static void
take_type(struct block *b, struct span value)
{
	char text[sizeof(b->declared) / 2];
	size_t len;

	(void)squeeze(value, text, sizeof(text));
	len = strcspn(text, ";");
	if (b->n_types++ == 0)
		(void)text_clean(b->declared, sizeof(b->declared), text, len);
	b->is_container |= strncmp(text, "multipart/", 10) == 0 ||
			   strncmp(text, "message/rfc822", 14) == 0;
	names_header(&b->names, value.at, value.len);
}

/* Behind the colon(s), or behind the name where there is none. */
static struct span
value_of(struct span field, size_t i)
{
	while (i < field.len &&
	       (isalpha((unsigned char)field.at[i]) || field.at[i] == '-'))
		i++;
	while (i < field.len &&
	       ((unsigned char)field.at[i] <= ' ' || field.at[i] == ':'))
		i++;
	return (struct span){field.at + i, field.len - i};
}

bool
field_take(struct block *b, struct span field)
{
	const size_t i = skip_junk(field);
	struct span value;

	if (!field_is_content(field)) {
		const char *colon = memchr(field.at, ':', field.len);
		const char *blank = memchr(field.at, ' ', field.len);

		return colon && colon > field.at && (!blank || blank > colon);
	}
	value = value_of(field, i);
	if (strncasecmp(field.at + i, "content-tr", 10) == 0) {
		if (b->n_codecs > 0)
			b->is_odd = true;
		take_encoding(b, value);
	} else if (strncasecmp(field.at + i, "content-ty", 10) == 0) {
		take_type(b, value);
	} else {
		names_header(&b->names, value.at, value.len);
	}
	return true;
}
