/*
 * worker/fetcher.h - the engines role's side of the fetch role: ask for the
 * file behind a link, and hear what came.
 */
#ifndef SLUICE_WORKER_FETCHER_H
#define SLUICE_WORKER_FETCHER_H

#include <stdint.h>

struct conf;
struct event_base;
struct fetcher;
struct wire_fetched;

/* Links that one worker fetches at a time; more are told at once that there
 * is no room.  With links.file each this bounds their memory. */
#define FETCHER_MOST 32

/*
 * fetched->got: there is a file in fd, sealed, of fetched->bytes; it is the
 * callee's to close.  Otherwise fd is -1 and fetched->text says why.
 */
typedef void fetcher_done(
    void *arg, const struct wire_fetched *fetched, int fd);
/* Called once, when the fetch role is gone or says what it may not. */
typedef void fetcher_lost(void *arg);

/* fd and conf are borrowed for the fetcher's life. */
struct fetcher *fetcher_new(struct event_base *base, int fd,
    const struct conf *conf, fetcher_lost *lost, void *arg);
/* What is under way ends without its callback. */
struct fetcher *fetcher_free(struct fetcher *fetcher);

/*
 * Ask.  done comes exactly once, within links.timeout and 5 s, never before
 * this returns.  url is copied.  Does not block.
 */
void fetcher_get(
    struct fetcher *fetcher, const char *url, fetcher_done *done, void *arg);

#endif
