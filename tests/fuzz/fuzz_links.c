/* Any text and any page: each address that is found is one to be asked, and
 * the same when it is read again. */
#include "worker/links.h"
#include "worker/url.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(void *arg, const char *url)
{
	char again[URL_MAX + 1], host[URL_HOST_MAX + 1], name[URL_MAX + 1];
	uint16_t port;

	(void)arg;
	if (!url)
		return;
	assert(strlen(url) <= URL_MAX);
	for (const char *p = url; *p; p++)
		assert(*p > ' ' && *p < 0x7f && *p != '#');
	assert(strncmp(url, "http://", 7) == 0 ||
	       strncmp(url, "https://", 8) == 0);
	assert(url_read(NULL, url, strlen(url), again) == 0);
	assert(strcmp(url, again) == 0);
	url_host(url, host, &port);
	assert(*host && !strchr(host, '@') && !strchr(host, '/'));
	assert(url_name(url, name, sizeof(name)) == strlen(name));
	(void)url_is_file(url);
	(void)url_is_act(url);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct span all = {(const char *)data, size};

	links_in_text(all, false, check, NULL);
	links_in_page(all, check, NULL);
	return 0;
}
