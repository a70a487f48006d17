/*
 * tests/support/cell_run.h - one message through the readers of a cell, in
 * a process of its own as always, and what came out.
 */
#ifndef SLUICE_TESTS_CELL_RUN_H
#define SLUICE_TESTS_CELL_RUN_H

#include "worker/cell.h"
#include "worker/reading.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define CELL_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

static const struct cell_limits cell_usual = {.output_bytes = 64 << 20,
    .memory_bytes = 512 << 20,
    .cpu_usec = 10000000,
    .parts = 2000,
    .depth = 15,
    .headers = 10000};

/* Read octets within limits; the caller gives the reading back. */
static inline struct reading *
cell_run_limits(const void *octets, size_t len, const struct cell_limits *l)
{
	struct reading *r = NULL;
	const int message = memfd_create("message", MFD_CLOEXEC);
	const int arena =
	    memfd_create("arena", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int status;

	if (cell_prepare() < 0 || message < 0 || arena < 0 ||
	    write(message, octets, len) != (ssize_t)len)
		abort();
	if (fork() == 0) {
		cell_read(message, arena, l);
		_exit(0);
	}
	if (wait(&status) < 0 || status != 0)
		abort();
	if (fcntl(arena, F_ADD_SEALS, CELL_SEALS) < 0 ||
	    reading_open(arena, &r) < 0)
		abort();
	(void)close(message);
	(void)close(arena);
	return r;
}

static inline struct reading *
cell_run(const void *octets, size_t len)
{
	return cell_run_limits(octets, len, &cell_usual);
}

/* The test virus, put together so that no file of this tree contains it. */
static inline size_t
eicar(char out[68])
{
	(void)memcpy(out, "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STAND", 39);
	(void)memcpy(out + 39, "ARD-ANTIVIRUS-TEST-FILE!$H+H*", 29);
	return 68;
}

static inline const struct reading_part *
cell_find(const struct reading *r, const void *octets, size_t len)
{
	for (size_t i = 0; i < r->n_parts; i++)
		if (r->parts[i].bytes == len &&
		    memcmp(r->map + r->parts[i].off, octets, len) == 0)
			return &r->parts[i];
	return NULL;
}

static inline bool
cell_has_eicar(const struct reading *r)
{
	char virus[68];

	return cell_find(r, virus, eicar(virus)) != NULL;
}

static inline bool
part_has_name(const struct reading_part *part, const char *name)
{
	const char *at = part->names;

	for (uint32_t i = 0; i < part->n_names; i++, at += strlen(at) + 1)
		if (strcmp(at, name) == 0)
			return true;
	return false;
}

/* Octets of a zip with one stored member; see struct zip_lie. */
struct zip_lie {
	const char *local_name; /* instead of name, in the local header */
	unsigned flags;
	bool omit; /* the central directory lists nothing */
};

static inline size_t
put_le(char *out, size_t at, uint32_t value, unsigned octets)
{
	for (unsigned i = 0; i < octets; i++)
		out[at + i] = (char)(value >> (8 * i));
	return at + octets;
}

static inline uint32_t
crc32_of(const char *at, size_t len)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= (unsigned char)at[i];
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

/* Fields that local header and directory entry share, from "flags" on. */
static inline size_t
put_common(char *out, size_t n, const char *data, size_t len,
    const struct zip_lie *lie, size_t name_len)
{
	n = put_le(out, n, lie->flags, 2);
	n = put_le(out, n, 0, 2);
	n = put_le(out, n, 0x21 << 16, 4);
	n = put_le(out, n, crc32_of(data, len), 4);
	n = put_le(out, n, (uint32_t)len, 4);
	n = put_le(out, n, (uint32_t)len, 4);
	n = put_le(out, n, (uint32_t)name_len, 2);
	return put_le(out, n, 0, 2);
}

/* out needs len + 200 octets and room for both names. */
static inline size_t
make_zip(char *out, const char *name, const char *data, size_t len,
    const struct zip_lie *lie)
{
	const char *local = lie->local_name ? lie->local_name : name;
	size_t n = 0, start;

	n = put_le(out, n, 0x04034b50, 4);
	n = put_le(out, n, 20, 2);
	n = put_common(out, n, data, len, lie, strlen(local));
	(void)memcpy(out + n, local, strlen(local));
	n += strlen(local);
	(void)memcpy(out + n, data, len);
	start = n += len;
	if (!lie->omit) {
		n = put_le(out, n, 0x02014b50, 4);
		n = put_le(out, n, 20 << 16 | 20, 4);
		n = put_common(out, n, data, len, lie, strlen(name));
		(void)memset(out + n, 0, 14);
		n += 14;
		(void)memcpy(out + n, name, strlen(name));
		n += strlen(name);
	}
	(void)memset(out + n, 0, 22);
	(void)put_le(out, n, 0x06054b50, 4);
	(void)put_le(out, n + 8, lie->omit ? 0 : 1, 2);
	(void)put_le(out, n + 10, lie->omit ? 0 : 1, 2);
	(void)put_le(out, n + 12, (uint32_t)(n - start), 4);
	(void)put_le(out, n + 16, (uint32_t)start, 4);
	return n + 22;
}

static inline size_t
eicar_zip(char out[400])
{
	static const struct zip_lie honest = {.flags = 0};
	char virus[68];

	return make_zip(out, "eicar.com", virus, eicar(virus), &honest);
}

/* Base64 in lines of width characters, each followed by end. */
static inline size_t
to_base64(char *out, const char *in, size_t len, size_t width, const char *end)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = 0, column = 0;

	for (size_t i = 0; i < len; i += 3) {
		uint32_t bits = 0;

		for (size_t k = 0; k < 3; k++)
			bits = bits << 8 |
			       (i + k < len ? (unsigned char)in[i + k] : 0u);
		for (size_t k = 0; k < 4; k++) {
			out[n++] = i + k > len
				       ? '='
				       : letters[bits >> (18 - 6 * k) & 63];
			if (++column == width) {
				(void)memcpy(out + n, end, strlen(end));
				n += strlen(end);
				column = 0;
			}
		}
	}
	(void)memcpy(out + n, "\n", 2);
	return n + 1;
}

#endif
