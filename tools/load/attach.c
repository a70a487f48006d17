/* tools/load/attach.c - small writers of common file formats. */
#include "attach.h"

#include "words.h"

#include <stdio.h>
#include <string.h>

static void
le(struct buf *b, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++) {
		const char c = (char)(value >> (8 * i) & 0xff);

		buf_add(b, &c, 1);
	}
}

static void
noise(struct buf *b, struct rng *r, size_t bytes)
{
	while (bytes > 0) {
		const uint64_t v = rng_next(r);
		const size_t n = bytes < sizeof(v) ? bytes : sizeof(v);

		buf_add(b, &v, n);
		bytes -= n;
	}
}

static void
make_text(struct buf *b, struct rng *r, size_t bytes)
{
	text_add(b, r, bytes);
}

static void
make_csv(struct buf *b, struct rng *r, size_t bytes)
{
	buf_adds(b, "item,place,count,price\n");
	while (b->len < bytes)
		buf_addf(b, "%s,%s,%u,%u.%02u\n", word_pick(r), word_pick(r),
		    (unsigned)rng_below(r, 900), (unsigned)rng_below(r, 90),
		    (unsigned)rng_below(r, 100));
}

static void
make_html(struct buf *b, struct rng *r, size_t bytes)
{
	buf_adds(b, "<!DOCTYPE html>\n<html><head><title>");
	words_add(b, r, 3);
	buf_adds(b, "</title></head>\n<body>\n");
	while (b->len < bytes) {
		buf_adds(b, "<p>");
		text_add(b, r, 300);
		buf_adds(b, "</p>\n");
	}
	buf_adds(b, "</body></html>\n");
}

/* Uncompressed 24-bit picture, 256 pixels wide: a row is 768 octets. */
static void
make_bmp(struct buf *b, struct rng *r, size_t bytes)
{
	const size_t rows = bytes / 768 + 1;

	buf_adds(b, "BM");
	le(b, 54 + rows * 768, 4);
	le(b, 0, 4);
	le(b, 54, 4);
	le(b, 40, 4);
	le(b, 256, 4);
	le(b, rows, 4);
	le(b, 1, 2);
	le(b, 24, 2);
	le(b, 0, 4);
	le(b, rows * 768, 4);
	le(b, 2835, 4);
	le(b, 2835, 4);
	le(b, 0, 8);
	noise(b, r, rows * 768);
}

/* 8 kHz, 16 bits, mono. */
static void
make_wav(struct buf *b, struct rng *r, size_t bytes)
{
	bytes &= ~(size_t)1;
	buf_adds(b, "RIFF");
	le(b, 36 + bytes, 4);
	buf_adds(b, "WAVEfmt ");
	le(b, 16, 4);
	le(b, 1, 2);
	le(b, 1, 2);
	le(b, 8000, 4);
	le(b, 16000, 4);
	le(b, 2, 2);
	le(b, 16, 2);
	buf_adds(b, "data");
	le(b, bytes, 4);
	noise(b, r, bytes);
}

static void
pdf_stream(struct buf *b, struct rng *r, size_t bytes)
{
	struct buf page = {0};

	buf_adds(&page, "BT /F1 12 Tf 72 720 Td 14 TL\n");
	while (page.len < bytes) {
		buf_adds(&page, "(");
		words_add(&page, r, 10);
		buf_adds(&page, ") Tj T*\n");
	}
	buf_adds(&page, "ET\n");
	buf_addf(b, "<< /Length %zu >>\nstream\n", page.len);
	buf_add(b, page.data, page.len);
	buf_adds(b, "endstream\n");
	buf_done(&page);
}

/* One page of text, with a right cross-reference table. */
static void
make_pdf(struct buf *b, struct rng *r, size_t bytes)
{
	static const char *const objects[] = {
	    "<< /Type /Catalog /Pages 2 0 R >>\n",
	    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>\n",
	    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] "
	    "/Resources << /Font << /F1 5 0 R >> >> /Contents 4 0 R >>\n",
	    NULL, /* the page's stream */
	    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>\n",
	};
	size_t offset[5];
	size_t xref;

	buf_adds(b, "%PDF-1.4\n");
	for (int i = 0; i < 5; i++) {
		offset[i] = b->len;
		buf_addf(b, "%d 0 obj\n", i + 1);
		if (objects[i])
			buf_adds(b, objects[i]);
		else
			pdf_stream(b, r, bytes);
		buf_adds(b, "endobj\n");
	}
	xref = b->len;
	buf_adds(b, "xref\n0 6\n0000000000 65535 f \n");
	for (int i = 0; i < 5; i++)
		buf_addf(b, "%010zu 00000 n \n", offset[i]);
	buf_addf(b,
	    "trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%zu\n%%%%EOF\n",
	    xref);
}

static uint32_t
crc32_of(const char *p, size_t len)
{
	uint32_t crc = 0xffffffffU;

	for (size_t i = 0; i < len; i++) {
		crc ^= (unsigned char)p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (0xedb88320U & (0U - (crc & 1)));
	}
	return ~crc;
}

/* The fields that a zip's local and central header share. */
static void
zip_fields(struct buf *b, const struct buf *member, const char *name)
{
	le(b, 10, 2);   /* version needed */
	le(b, 0, 2);    /* flags */
	le(b, 0, 2);    /* stored */
	le(b, 0, 2);    /* time */
	le(b, 0x21, 2); /* date: 1980-01-01 */
	le(b, crc32_of(member->data, member->len), 4);
	le(b, member->len, 4);
	le(b, member->len, 4);
	le(b, strlen(name), 2);
	le(b, 0, 2); /* extra */
}

/* An archive of one stored member. */
static void
zip_add(struct buf *b, const struct buf *member, const char *name)
{
	size_t central;
	size_t end;

	buf_add(b, "PK\3\4", 4);
	zip_fields(b, member, name);
	buf_adds(b, name);
	buf_add(b, member->data, member->len);

	central = b->len;
	buf_add(b, "PK\1\2", 4);
	le(b, 20, 2); /* made by */
	zip_fields(b, member, name);
	le(b, 0, 2); /* comment */
	le(b, 0, 2); /* disk */
	le(b, 0, 2); /* internal attributes */
	le(b, 0, 4); /* external attributes */
	le(b, 0, 4); /* offset of the local header */
	buf_adds(b, name);

	end = b->len;
	buf_add(b, "PK\5\6", 4);
	le(b, 0, 4); /* disks */
	le(b, 1, 2);
	le(b, 1, 2);
	le(b, end - central, 4);
	le(b, central, 4);
	le(b, 0, 2); /* comment */
}

static void
make_zip(struct buf *b, struct rng *r, size_t bytes)
{
	struct buf member = {0};

	text_add(&member, r, bytes);
	zip_add(b, &member, "notes.txt");
	buf_done(&member);
}

static const struct kind {
	const char *type;
	const char *suffix;
	void (*make)(struct buf *b, struct rng *r, size_t bytes);
} kinds[] = {
    {"text/plain", "txt", make_text},
    {"text/csv", "csv", make_csv},
    {"text/html", "html", make_html},
    {"image/bmp", "bmp", make_bmp},
    {"audio/x-wav", "wav", make_wav},
    {"application/pdf", "pdf", make_pdf},
    {"application/pdf", "pdf", make_pdf}, /* the commonest: twice */
    {"application/zip", "zip", make_zip},
};

static void
name_it(struct attachment *a, struct rng *r, const char *suffix)
{
	(void)snprintf(a->name, sizeof(a->name), "%s-%s.%s", word_pick(r),
	    word_pick(r), suffix);
}

void
attachment_draw(struct attachment *a, struct rng *r, size_t bytes)
{
	const struct kind *k =
	    &kinds[rng_below(r, sizeof(kinds) / sizeof(kinds[0]))];

	*a = (struct attachment){.type = k->type};
	name_it(a, r, k->suffix);
	k->make(&a->content, r, bytes > 0 ? bytes : 1);
}

void
attachment_eicar(struct attachment *a, struct rng *r)
{
	/* In two halves, so that neither this file nor the program is one. */
	static const char *const halves[] = {
	    "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STAND",
	    "ARD-ANTIVIRUS-TEST-FILE!$H+H*",
	};
	struct buf file = {0};

	for (int i = 0; i < 2; i++)
		buf_adds(&file, halves[i]);
	if (rng_below(r, 2) == 0) {
		*a = (struct attachment){.type = "application/octet-stream"};
		name_it(a, r, "dat");
		a->content = file;
		return;
	}
	*a = (struct attachment){.type = "application/zip"};
	name_it(a, r, "zip");
	zip_add(&a->content, &file, "notes.txt");
	buf_done(&file);
}

void
attachment_refused(struct attachment *a, struct rng *r, size_t bytes)
{
	static const char *const suffixes[] = {
	    "exe",
	    "scr",
	    "pif",
	    "bat",
	    "com",
	    "vbs",
	    "pdf.exe",
	    "jpg.scr",
	};

	*a = (struct attachment){.type = "application/octet-stream"};
	name_it(a, r,
	    suffixes[rng_below(r, sizeof(suffixes) / sizeof(suffixes[0]))]);
	text_add(&a->content, r, bytes);
}

void
attachment_done(struct attachment *a)
{
	buf_done(&a->content);
}
