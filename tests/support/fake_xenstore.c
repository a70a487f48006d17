#include "tests/support/fake_xen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xenstore.h>

#define NODES    128
#define ROOM     128
#define TEXT_MAX 2048 /* as of xenstored */

/* A node that has nothing but children isn't kept. */
static struct {
	char path[ROOM]; /* "": none */
	char text[TEXT_MAX];
} nodes[NODES];

void
fake_xenstore_begin(void)
{
	memset(nodes, 0, sizeof(nodes));
}

const char *
fake_xenstore_at(const char *path)
{
	for (size_t i = 0; i < NODES; i++)
		if (nodes[i].path[0] && strcmp(nodes[i].path, path) == 0)
			return nodes[i].text;
	return NULL;
}

int
fake_xenstore_nodes(void)
{
	int n = 0;

	for (size_t i = 0; i < NODES; i++)
		n += nodes[i].path[0] != '\0';
	return n;
}

/* What of a node's path lies below another; NULL: it doesn't. */
static const char *
below(const char *node, const char *path)
{
	size_t n = strlen(path);

	return strncmp(node, path, n) == 0 && node[n] == '/' ? node + n + 1
							     : NULL;
}

WRAP(struct xs_handle *, xs_open, unsigned long flags)
{
	(void)flags;
	if (fake_xen_fails("xs_open"))
		return NULL;
	return (void *)nodes;
}

WRAP(void, xs_close, struct xs_handle *h)
{
	(void)h;
}

static bool
put(const char *path, const void *data, unsigned int n)
{
	size_t at = NODES;

	for (size_t i = 0; i < NODES; i++) {
		bool is_it = strcmp(nodes[i].path, path) == 0;

		if (is_it || (at == NODES && !nodes[i].path[0]))
			at = i;
		if (is_it)
			break;
	}
	if (at == NODES || n >= TEXT_MAX) {
		errno = at == NODES ? ENOSPC : E2BIG;
		return false;
	}
	(void)snprintf(nodes[at].path, ROOM, "%s", path);
	memcpy(nodes[at].text, data, n);
	nodes[at].text[n] = '\0';
	return true;
}

void
fake_xenstore_put(const char *path, const char *text)
{
	if (!put(path, text, (unsigned int)strlen(text)))
		abort();
}

WRAP(bool, xs_write, struct xs_handle *h, xs_transaction_t t, const char *path,
    const void *data, unsigned int n)
{
	(void)h, (void)t;
	return !fake_xen_fails("xs_write") && put(path, data, n);
}

WRAP(bool, xs_rm, struct xs_handle *h, xs_transaction_t t, const char *path)
{
	(void)h, (void)t;
	if (fake_xen_fails("xs_rm"))
		return false;
	for (size_t i = 0; i < NODES; i++)
		if (strcmp(nodes[i].path, path) == 0 ||
		    below(nodes[i].path, path))
			nodes[i].path[0] = '\0';
	return true;
}

WRAP(void *, xs_read, struct xs_handle *h, xs_transaction_t t, const char *path,
    unsigned int *n)
{
	const char *text = fake_xenstore_at(path);

	(void)h, (void)t;
	if (fake_xen_fails("xs_read"))
		return NULL;
	if (!text) {
		errno = ENOENT;
		return NULL;
	}
	*n = (unsigned int)strlen(text);
	return strdup(text);
}

/* One block: pointers, and the names behind them, as xenstore.h has it. */
WRAP(char **, xs_directory, struct xs_handle *h, xs_transaction_t t,
    const char *path, unsigned int *n)
{
	char **list = calloc(1, NODES * (sizeof(char *) + ROOM));
	char *names = (char *)(list + NODES);

	(void)h, (void)t;
	if (!list || fake_xen_fails("xs_directory")) {
		free(list);
		return NULL;
	}
	*n = 0;
	for (size_t i = 0; i < NODES; i++) {
		const char *name = below(nodes[i].path, path);

		if (!name || strchr(name, '/'))
			continue;
		list[*n] = names;
		(void)snprintf(names, ROOM, "%s", name);
		names += strlen(names) + 1;
		++*n;
	}
	if (*n > 0)
		return list;
	free(list);
	errno = ENOENT;
	return NULL;
}
