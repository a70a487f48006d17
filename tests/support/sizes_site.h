/*
 * tests/support/sizes_site.h - laws of sizes of every kind, and the files that
 * some of them read.
 */
#ifndef SLUICE_TESTS_SIZES_SITE_H
#define SLUICE_TESTS_SIZES_SITE_H

#include "common/cleanup.h"
#include "common/io.h"
#include "tests/support/tmpspool.h"
#include "tools/sim/sizes.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define DUAL "gaussmix:0.9,2000,400,0.1,50000,10000"

/* A directory with the files below; *state of every test. */
static const struct fixture {
	const char *name, *text;
	size_t len; /* 0: of the string */
} fixtures[] = {
    {"hist",
	"# LOW HIGH COUNT\n0 1000 10\n1000 4000 50\n\n5000 20000 39.5\n"
	"20000\t100000   0.5\r\n100000 200000 0\n",
	0},
    {"list", "300\n100\n# so\n200.6\n  1e5  \n200.6\n", 0},
    {"one", "4096", 0}, /* without a newline */
    {"empty", "", 0},
    {"comments", "# nothing\n\n", 0},
    {"negative", "100\n-5\n", 0},
    {"nan", "1\nnan\n", 0},
    {"huge", "1e16\n", 0},
    {"words", "100\n2 3\n", 0},
    {"binary", "1\n\x1b[2J\0x\n", 9},
    {"narrow", "0 10\n", 0},
    {"wide", "0 10 5 6\n", 0},
    {"backward", "0 10 5\n20 10 5\n", 0},
    {"point", "10 10 5\n", 0},
    {"overlap", "0 10 5\n\n9 20 5\n", 0},
    {"nobody", "0 10 0\n10 20 0\n", 0},
    {"minus", "0 10 -1\n", 0},
};

static inline int
make_files(void **state)
{
	char *dir = tmp_new();

	for (size_t i = 0; i < ARRAY_SIZE(fixtures); i++) {
		const struct fixture *f = &fixtures[i];
		CLEANUP(free_ptr) char *path = xasprintf("%s/%s", dir, f->name);
		CLEANUP(close_fd)
		int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		if (fd < 0 || write_all(fd, f->text,
				  f->len > 0 ? f->len : strlen(f->text)) < 0)
			return -1;
	}
	*state = dir;
	return 0;
}

static inline int
remove_files(void **state)
{
	tmp_remove(*state);
	return 0;
}

/* "hist:@name" is the file name in dir. */
static inline char *
spec_in(const char *dir, const char *spec)
{
	const char *at = strchr(spec, '@');

	return at ? xasprintf("%.*s%s/%s", (int)(at - spec), spec, dir, at + 1)
		  : xstrdup(spec);
}

static inline struct sizes *
parse(const char *dir, const char *spec)
{
	CLEANUP(free_ptr) char *whole = spec_in(dir, spec);
	struct sizes *sizes = NULL;
	char err[400] = "";

	if (sizes_parse(whole, &sizes, err, sizeof(err)) != 0)
		print_error("%s\n", err);
	assert_non_null(sizes);
	assert_string_equal(sizes_spec(sizes), whole);
	return sizes;
}

/* Every law, and a few of each that differ in kind. */
static const char *const sizes_specs[] = {
    "exp:2751.3",
    "exp:5e6",
    DUAL,
    "gaussmix:1,1000,800", /* much of it would be below 0 */
    "gaussmix:0.5,100,5,0.25,1e4,10,0.25,3e6,1e5",
    "lognormal:8,1.2",
    "lognormal:7.6,0.05",
    "lognormal:5,3",
    "pareto:2.5,500",
    "pareto:1.5,500",
    "pareto:1,500", /* ALPHA meets the power of a moment */
    "pareto:2,500,1e6",
    "pareto:1,10,1e5",
    "pareto:1.9999999,10,1e5",
    "pareto:0.3,10,1e7",
    "hist:@hist",
    "list:@list",
    "list:@one",
};

#endif
