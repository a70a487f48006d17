#include "vmm/hostbox.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "vmm/vmm.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#define PAGE 4096u

int
hostbox_make(struct hostbox *ret)
{
	CLEANUP(close_fd)
	int fd =
	    memfd_create("sluice-mailbox", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *page;

	if (fd < 0 || ftruncate(fd, MAILBOX_BYTES) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) <
		0)
		return -errno;
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return -errno;
	*ret = (struct hostbox){.fd = TAKE_FD(fd), .page = page};
	hostbox_begin(ret->page);
	return 0;
}

void
hostbox_begin(struct mailbox *page)
{
	page->magic = MAILBOX_MAGIC;
	page->version = MAILBOX_VERSION;
}

void
hostbox_drop(struct hostbox *box)
{
	if (box->page)
		(void)munmap(box->page, PAGE);
	close_fd(&box->fd);
	*box = (struct hostbox){.fd = -1};
}

int
hostbox_label(struct hostbox *box, const struct vmm_sample *sample)
{
	struct mailbox *m = box->page;

	if (sample->bytes > MAILBOX_SAMPLE_MAX)
		return -EFBIG;
	if (getrandom(m->seed, sizeof(m->seed), 0) != sizeof(m->seed))
		return -EIO;
	m->sample_bytes = sample->bytes;
	(void)snprintf(m->name, sizeof(m->name), "%s", sample->name);
	(void)snprintf(m->type, sizeof(m->type), "%s", sample->type);
	return 0;
}

int
hostbox_put(struct hostbox *box, const struct vmm_sample *sample)
{
	int r = hostbox_label(box, sample);

	if (r < 0)
		return r;
	if (lseek(box->fd, MAILBOX_SAMPLE_AT, SEEK_SET) < 0)
		return -errno;
	return copy_range(sample->fd, 0, sample->bytes, box->fd);
}

void
hostbox_order(
    struct hostbox *box, enum mailbox_command command, uint64_t deadline_usec)
{
	struct mailbox *m = box->page;
	uint64_t msec = deadline_usec / USEC_PER_MSEC;

	m->command = command;
	m->deadline_msec = msec > UINT32_MAX ? UINT32_MAX : (uint32_t)msec;
	m->wall_nsec = wall_now().usec * 1000;
	box->has_answer = box->has_end = false;
	box->order++;
	mailbox_store(m->order, box->order);
}

/* The state first: with its end seen, the length is final. */
static unsigned int
look_at_run(struct hostbox *box)
{
	uint32_t state = mailbox_load(box->page->state);
	uint32_t n = mailbox_load(box->page->report_bytes);
	unsigned int news = 0;

	if (state < box->state_seen || state > MAILBOX_ENDED ||
	    n < box->report_seen || n > MAILBOX_REPORT_MAX)
		return HOSTBOX_LIE;
	box->state_seen = state;
	if (n > box->report_seen) {
		if (box->has_end)
			return HOSTBOX_LIE;
		box->report_seen = n;
		news |= HOSTBOX_REPORT;
	}
	if (state == MAILBOX_ENDED && !box->has_end) {
		box->has_end = true;
		news |= HOSTBOX_END;
	}
	return news;
}

unsigned int
hostbox_look(struct hostbox *box)
{
	unsigned int news = 0;

	if (!box->has_answer) {
		if (box->order == 0 ||
		    mailbox_load(box->page->answer) != box->order)
			return 0;
		box->has_answer = true;
		news |= HOSTBOX_ANSWER;
	}
	return news | look_at_run(box);
}

bool
hostbox_is_parked(const struct hostbox *box)
{
	return mailbox_load(box->page->state) == MAILBOX_PARKED;
}

int
hostbox_is_fit(const struct hostbox *box, char *err, size_t err_size)
{
	char lacking[MAILBOX_LACKING_MAX];

	memcpy(lacking, box->page->lacking, sizeof(lacking));
	lacking[sizeof(lacking) - 1] = '\0';
	if (!lacking[0])
		return 0;
	for (char *c = lacking; *c; c++)
		if (!isprint((unsigned char)*c))
			*c = ' ';
	(void)snprintf(err, err_size,
	    "its agent lacks what each run needs: %s; see that its packages "
	    "are whole and go together, then build it again",
	    lacking);
	return -EREMOTEIO;
}

size_t
hostbox_told(const struct hostbox *box, uint64_t from, size_t n)
{
	uint64_t limit = box->report_seen;

	if (from >= limit)
		return 0;
	return n > limit - from ? (size_t)(limit - from) : n;
}

size_t
hostbox_collect(const struct hostbox *box, uint64_t from, void *buf, size_t n)
{
	ssize_t got;

	n = hostbox_told(box, from, n);
	if (n == 0)
		return 0;
	got = pread(box->fd, buf, n, (off_t)(MAILBOX_REPORT_AT + from));
	return got < 0 ? 0 : (size_t)got;
}

uint32_t
hostbox_lost(const struct hostbox *box)
{
	return mailbox_load(box->page->lost);
}
