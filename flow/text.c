#include "flow/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define NSEC_PER_SEC INT64_C(1000000000)

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

char *
flow_address_text(const uint8_t address[16], char *buf, size_t size)
{
	const bool is_v4 = memcmp(address, mapped, sizeof(mapped)) == 0;

	if (!inet_ntop(is_v4 ? AF_INET : AF_INET6, address + (is_v4 ? 12 : 0),
		buf, (socklen_t)size))
		buf[0] = '\0';
	return buf;
}

int
flow_address_parse(const char *text, uint8_t ret[16])
{
	if (inet_pton(AF_INET6, text, ret) == 1)
		return 0;
	memcpy(ret, mapped, sizeof(mapped));
	return inet_pton(AF_INET, text, ret + 12) == 1 ? 0 : -EINVAL;
}

static void
print_end(
    FILE *out, bool is_json, const char *name, const struct packet_end *end)
{
	char text[FLOW_ADDRESS_TEXT];

	(void)fprintf(out,
	    is_json ? "\"%s\":\"%s\",\"%s_port\":%u," : "%s=%s %s_port=%u ",
	    name, flow_address_text(end->address, text, sizeof(text)), name,
	    end->port);
}

static void
print_features(FILE *out, bool is_json, const struct follow *follow)
{
	struct flow_features features;
	char text[32];

	follow_features(follow, &features);
	for (int i = 0; i < FLOW_FEATURES; i++) {
		const enum flow_feature feature = (enum flow_feature)i;

		(void)flow_feature_text(&features, feature, text, sizeof(text));
		(void)fprintf(out, is_json ? ",\"%s\":%s" : " %s=%s",
		    flow_feature_info(feature)->name, text);
	}
}

void
flow_print(const struct flow *f, enum flow_end end, bool is_json, FILE *out)
{
	const int64_t start = f->follow.first_nsec;
	const char *state =
	    follow_state_name((enum follow_state)f->follow.state);

	if (is_json)
		(void)fputc('{', out);
	print_end(out, is_json, "client", &f->client);
	print_end(out, is_json, "server", &f->server);
	(void)fprintf(out,
	    is_json ? "\"start\":%" PRId64 ".%09" PRId64
		      ",\"state\":\"%s\",\"end\":\"%s\",\"approximate\":%s,"
		      "\"messages\":%u,\"dialogue\":\"%s\""
		    : "start=%" PRId64 ".%09" PRId64
		      " state=%s end=%s approximate=%s"
		      " messages=%u dialogue=%s",
	    start / NSEC_PER_SEC, start % NSEC_PER_SEC, state,
	    flow_end_name(end), f->follow.is_approximate ? "true" : "false",
	    f->dialogue.ended, dialogue_mode_name(&f->dialogue));
	print_features(out, is_json, &f->follow);
	(void)fputs(is_json ? "}\n" : "\n", out);
}
