/*
 * Whose a domain by Xen is: what is written of it into xenstore, what is read
 * there by others, and what is ended and removed when its holder has died.
 */
#include "tests/support/xen_site.h"

#include "vmm/mailbox.h"

#include <sys/wait.h>

#define ROWS_MAX 16

static char site[OWNER_SITE_SIZE];
static struct xen_host *host;

/* As owned() told it, with texts of its own. */
static struct row {
	struct vmm_owned owned;
	char reference[16], mail[XEN_MAIL_MAX];
} rows[ROWS_MAX];
static size_t n_rows;

static int
begin(void **test)
{
	char why[256];

	(void)test;
	fake_xen_begin();
	n_rows = 0;
	(void)owner_site(options.state, site);
	return xen_host_open(&host, why, sizeof(why));
}

static int
begin_parked(void **test)
{
	return set_up(test) < 0 ? -1 : begin(test);
}

static int
end(void **test)
{
	(void)test;
	xen_host_close(host);
	assert_int_equal(0, fake_xen_opened());
	return 0;
}

static void
keep(void *arg, const struct vmm_owned *owned)
{
	struct row *row = &rows[n_rows++];

	(void)arg;
	assert_in_range(n_rows, 1, ROWS_MAX);
	row->owned = *owned;
	(void)snprintf(
	    row->reference, sizeof(row->reference), "%s", owned->reference);
	(void)snprintf(row->mail, sizeof(row->mail), "%s", owned->mail);
}

static int
owned(void)
{
	n_rows = 0;
	return vmm_xen.owned(&options, keep, NULL);
}

static const struct row *
row_of(uint32_t domain)
{
	for (size_t i = 0; i < n_rows; i++)
		if (rows[i].owned.domain == domain)
			return &rows[i];
	return NULL;
}

/* The handle of a domain whose holder is a process that has ended. */
static uint32_t
orphan(enum xen_role role)
{
	unsigned char handle[XEN_HANDLE];
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(0);
	assert_int_equal(pid, waitpid(pid, &status, 0));
	xen_owner_handle(site, role, handle);
	memcpy(handle + 8, &pid, sizeof(pid));
	return fake_xen_add(handle);
}

static void
put_row(uint32_t domain, const char *fmt)
{
	struct xen_note note = {
	    .role = XEN_CLONE, .parent = XEN_NONE, .reference = "linux"};

	(void)snprintf(note.site, sizeof(note.site), "%s", fmt);
	assert_int_equal(
	    0, xen_store_note(xen_host_store(host), domain, &note));
	assert_int_equal(
	    0, xen_store_name(xen_host_store(host), domain, &note));
}

static const char *
row_text(uint32_t domain)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/sluice/vm/%u", domain);
	return fake_xenstore_at(path);
}

static const char *
name_of(uint32_t domain)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/local/domain/%u/name", domain);
	return fake_xenstore_at(path);
}

/* --- Rows. */

static void
a_row_says_all_that_was_written(void **test)
{
	struct xen_store *store = xen_host_store(host);
	struct xen_note in = {.site = "0badcafe",
	    .reference = "wine",
	    .role = XEN_CLONE,
	    .parent = 7,
	    .slot = 3,
	    .mail = "a-b c=d/\n",
	    .until_usec = 1234 * USEC_PER_SEC};
	struct xen_note out;

	(void)test;
	assert_int_equal(0, xen_store_note(store, 12, &in));
	assert_int_equal(0, xen_store_read(store, 12, &out));
	assert_string_equal("0badcafe", out.site);
	assert_string_equal("wine", out.reference);
	assert_int_equal(XEN_CLONE, out.role);
	assert_int_equal(7, out.parent);
	assert_int_equal(3, out.slot);
	assert_int_equal(getpid(), out.holder);
	assert_true(out.holder_start == owner_start_of(getpid()));
	/* What would be words of its own, or lines. */
	assert_string_equal("a-b_c_d__", out.mail);
	assert_int_equal(1234 * USEC_PER_SEC, out.until_usec);
	in.until_usec = 0;
	in.role = XEN_REFERENCE;
	in.parent = XEN_NONE;
	assert_int_equal(0, xen_store_note(store, 12, &in));
	assert_int_equal(0, xen_store_read(store, 12, &out));
	assert_int_equal(XEN_REFERENCE, out.role);
	assert_true(out.parent == XEN_NONE);
	assert_string_equal("", out.mail);
}

static void
a_row_that_makes_no_sense_is_refused(void **test)
{
	static const char *const texts[] = {"", "pool=0badcafe", "nonsense",
	    "pool=0badcafe role=other holder=1:1",
	    "pool=0badcafe role=clone holder=x", "role=clone holder=1:1"};
	struct xen_store *store = xen_host_store(host);
	struct xen_note note;

	(void)test;
	assert_int_equal(-ENOENT, xen_store_read(store, 12, &note));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		fake_xenstore_put("/sluice/vm/12", texts[i]);
		assert_int_equal(-EBADMSG, xen_store_read(store, 12, &note));
	}
	/* A later version may add words. */
	fake_xenstore_put(
	    "/sluice/vm/12", "pool=0badcafe role=clone colour=red holder=1:1");
	assert_int_equal(0, xen_store_read(store, 12, &note));
}

static void
errors_of_xenstored_come_back(void **test)
{
	struct xen_store *store = xen_host_store(host);
	struct xen_note note = {.role = XEN_CLONE};
	uint32_t *list;
	size_t n;

	(void)test;
	fake_xen_fail("xs_write", 1, EDQUOT);
	assert_int_equal(-EDQUOT, xen_store_note(store, 12, &note));
	fake_xen_fail("xs_write", 1, 0);
	assert_int_equal(-EIO, xen_store_name(store, 12, &note));
	fake_xen_fail("xs_read", 1, EACCES);
	assert_int_equal(-EACCES, xen_store_read(store, 12, &note));
	fake_xen_fail("xs_directory", 1, EPIPE);
	assert_int_equal(-EPIPE, xen_store_rows(store, &list, &n));
	assert_int_equal(0, xen_store_rows(store, &list, &n));
	assert_int_equal(0, n); /* there is no such directory so far */
	free(list);
	fake_xen_fail("xs_directory", 1, EPIPE);
	assert_int_equal(-EPIPE, vmm_xen.reap(&options));
	fake_xen_fail("xs_directory", 1, EPIPE);
	assert_int_equal(-EPIPE, owned());
	fake_xen_fail("xc_domain_getinfolist", 1, EACCES);
	assert_int_equal(-EACCES, owned());
	xen_host_close(host);
	fake_xen_host.type = NULL;
	assert_int_equal(-ENOTSUP, owned());
	fake_xen_host.type = "xen\n";
	assert_int_equal(0, begin(NULL));
}

/* --- A life in the ledger. */

/* Which happens at a time when nobody waits. */
static bool
is_entered(struct vm *vm, uint32_t domain)
{
	return !row_text(domain) && !name_of(domain) &&
	       wait_for(vm, VMM_TAKEN) == -ETIMEDOUT && row_text(domain) &&
	       name_of(domain);
}

/* All domains are numbered in turn. */
static uint32_t
newest_domain(void)
{
	unsigned char handle[XEN_HANDLE];
	uint32_t domain = 0;

	while (xen_domain_next(host, &domain, handle) == 0)
		domain++;
	return domain - 1;
}

static void
a_clone_is_in_the_ledger_until_it_is_gone(void **test)
{
	CLEANUP(close_fd) int fd = memfd_new("sample");
	const struct vmm_sample sample = {
	    .fd = fd, .bytes = 0, .name = "a", .type = "", .mail = "wAB12345"};
	const struct row *row;
	uint64_t before = wall_now().usec;
	struct vmm *vmm;
	struct vm *vm;
	char why[256];

	(void)test;
	assert_int_equal(0, vmm_xen.open(&options, &vmm, why, sizeof(why)));
	assert_int_equal(0, vmm_xen.clone(vmm, 5, &vm));
	assert_int_equal(0, wait_for(vm, VMM_PARKED));
	assert_true(is_entered(vm, newest_domain()));
	assert_int_equal(0, owned());
	assert_int_equal(2, n_rows);
	assert_false(rows[0].owned.is_clone);
	assert_string_equal("linux", rows[0].reference);
	assert_string_equal("sluice-linux", name_of(rows[0].owned.domain));
	row = &rows[1];
	assert_true(row->owned.is_clone && row->owned.is_there);
	assert_false(row->owned.is_orphan);
	assert_int_equal(rows[0].owned.domain, row->owned.parent);
	assert_int_equal(5, row->owned.slot);
	assert_int_equal(getpid(), row->owned.holder);
	assert_int_equal(100 * 4096, row->owned.private_bytes);
	assert_int_equal(0, row->owned.until_usec);
	assert_string_equal("sluice-linux-5", name_of(row->owned.domain));

	assert_int_equal(0, vmm_xen.inject(vm, &sample));
	fake_xen_host.is_mute = true; /* it goes on for some time */
	assert_int_equal(0, vmm_xen.run_start(vm, 60 * USEC_PER_SEC));
	assert_null(strstr(row_text(row->owned.domain), "mail="));
	assert_int_equal(-ETIMEDOUT, wait_for(vm, VMM_TAKEN));
	assert_int_equal(0, owned());
	assert_string_equal("wAB12345", rows[1].mail);
	assert_in_range(rows[1].owned.until_usec, before + 58 * USEC_PER_SEC,
	    wall_now().usec + 60 * USEC_PER_SEC);

	fake_xen_host.is_mute = false;
	assert_int_equal(0, vmm_xen.reset(vm));
	assert_int_equal(0, wait_for(vm, VMM_PARKED));
	assert_int_equal(-ETIMEDOUT, wait_for(vm, VMM_TAKEN));
	assert_int_equal(0, owned());
	assert_string_equal("", rows[1].mail);
	assert_int_equal(0, rows[1].owned.until_usec);

	assert_int_equal(0, vmm_xen.destroy(vm));
	assert_int_equal(0, wait_for(vm, VMM_GONE));
	assert_int_equal(0, owned());
	assert_int_equal(1, n_rows);
	vmm_xen.close(vmm);
	assert_int_equal(0, fake_xenstore_nodes());
}

static void
a_clone_that_has_not_answered_is_not_in_the_ledger(void **test)
{
	struct mailbox *box =
	    (void *)(fake_xen_memory() + ((size_t)FAKE_XEN_MIB << 20));
	struct vmm *vmm;
	struct vm *vm;
	char why[256];

	(void)test;
	assert_int_equal(0, vmm_xen.open(&options, &vmm, why, sizeof(why)));
	assert_int_equal(0, vmm_xen.clone(vmm, 5, &vm));
	box->answer = 0;
	fake_xen_host.is_mute = true;
	assert_int_equal(-ETIMEDOUT, wait_for(vm, VMM_PARKED));
	assert_null(row_text(newest_domain()));
	assert_int_equal(0, vmm_xen.destroy(vm));
	assert_int_equal(0, wait_for(vm, VMM_GONE));
	vmm_xen.close(vmm);
}

static void
a_clone_is_as_good_without_the_ledger(void **test)
{
	uint32_t domain;
	struct vmm *vmm;
	struct vm *vm;
	char why[256];

	(void)test;
	assert_int_equal(0, vmm_xen.open(&options, &vmm, why, sizeof(why)));
	assert_int_equal(0, vmm_xen.clone(vmm, 5, &vm));
	domain = newest_domain();
	assert_int_equal(0, wait_for(vm, VMM_PARKED));
	fake_xen_fail("xs_write", 1, EDQUOT);
	assert_false(is_entered(vm, domain));
	assert_true(fake_xen_has_failed());
	assert_int_equal(0, owned());
	assert_int_equal(2, n_rows); /* by its handle */
	assert_int_equal(0, vmm_xen.run_start(vm, 60 * USEC_PER_SEC));
	assert_int_equal(0, wait_for(vm, VMM_ENDED));
	assert_int_equal(0, vmm_xen.destroy(vm));
	assert_int_equal(0, wait_for(vm, VMM_GONE));
	vmm_xen.close(vmm);
	assert_int_equal(0, fake_xenstore_nodes());
}

/* --- After a death. */

static void
what_a_dead_process_has_left_is_ended_clones_first(void **test)
{
	uint32_t reference = orphan(XEN_REFERENCE), clone = orphan(XEN_CLONE);

	(void)test;
	put_row(reference, site);
	put_row(clone, site);
	assert_int_equal(0, owned());
	assert_int_equal(2, n_rows);
	assert_true(row_of(reference)->owned.is_orphan);
	assert_true(row_of(clone)->owned.is_orphan);
	/* A clone that can't be ended keeps its parent. */
	fake_xen_fail("xc_domain_destroy", 1, EPERM);
	assert_int_equal(-EPERM, vmm_xen.reap(&options));
	assert_int_equal(2, fake_xen_domains());
	assert_int_equal(2, vmm_xen.reap(&options));
	assert_int_equal(0, fake_xen_domains());
	assert_int_equal(0, fake_xenstore_nodes());
	assert_int_equal(0, vmm_xen.reap(&options));
	fake_xen_fail("xc_domain_getinfolist", 1, EACCES);
	assert_int_equal(-EACCES, vmm_xen.reap(&options));
}

static void
what_lives_or_is_anothers_is_left_alone(void **test)
{
	static const unsigned char other[XEN_HANDLE] = "some guest";
	unsigned char handle[XEN_HANDLE];
	uint32_t own, foreign, guest;

	(void)test;
	xen_owner_handle(site, XEN_CLONE, handle);
	own = fake_xen_add(handle);
	put_row(own, site);
	xen_owner_handle("0badcafe", XEN_CLONE, handle);
	foreign = fake_xen_add(handle);
	put_row(foreign, "0badcafe");
	guest = fake_xen_add(other);
	assert_int_equal(0, vmm_xen.reap(&options));
	assert_int_equal(3, fake_xen_domains());
	assert_non_null(row_text(own));
	assert_non_null(row_text(foreign));
	assert_int_equal(0, owned());
	assert_int_equal(1, n_rows);
	assert_null(row_of(guest));
	assert_false(row_of(own)->owned.is_orphan);
	/* One without a row: its process was killed before it wrote it. */
	xen_store_forget(xen_host_store(host), own);
	assert_int_equal(0, owned());
	assert_int_equal(1, n_rows);
	assert_string_equal("", row_of(own)->reference);
}

static void
rows_that_have_outlived_their_domains_are_removed(void **test)
{
	static const unsigned char other[XEN_HANDLE] = "some guest";
	uint32_t reused = fake_xen_add(other);

	(void)test;
	put_row(40, site);
	put_row(5, site);
	put_row(41, "0badcafe");
	put_row(reused, site);
	fake_xenstore_put("/sluice/vm/42", "what is that?");
	assert_int_equal(0, owned());
	assert_int_equal(3, n_rows);
	assert_false(row_of(5)->owned.is_there);
	assert_false(row_of(40)->owned.is_there);
	assert_false(row_of(reused)->owned.is_there);
	/* Nobody knows whose it is: it stays.  (Two calls a role before.) */
	fake_xen_fail("xc_domain_getinfolist", 5, EACCES);
	assert_int_equal(0, vmm_xen.reap(&options));
	assert_non_null(row_text(40));
	assert_int_equal(0, vmm_xen.reap(&options));
	assert_null(row_text(5));
	assert_null(row_text(40));
	assert_null(name_of(40));
	assert_null(row_text(reused));
	assert_non_null(name_of(reused)); /* another's by now */
	assert_non_null(row_text(41));
	assert_non_null(row_text(42));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_row_says_all_that_was_written, begin, end),
	    cmocka_unit_test_setup_teardown(
		a_row_that_makes_no_sense_is_refused, begin, end),
	    cmocka_unit_test_setup_teardown(
		errors_of_xenstored_come_back, begin, end),
	    cmocka_unit_test_setup_teardown(
		a_clone_is_in_the_ledger_until_it_is_gone, begin_parked, end),
	    cmocka_unit_test_setup_teardown(
		a_clone_that_has_not_answered_is_not_in_the_ledger,
		begin_parked, end),
	    cmocka_unit_test_setup_teardown(
		a_clone_is_as_good_without_the_ledger, begin_parked, end),
	    cmocka_unit_test_setup_teardown(
		what_a_dead_process_has_left_is_ended_clones_first, begin, end),
	    cmocka_unit_test_setup_teardown(
		what_lives_or_is_anothers_is_left_alone, begin, end),
	    cmocka_unit_test_setup_teardown(
		rows_that_have_outlived_their_domains_are_removed, begin, end),
	};

	return cmocka_run_group_tests(tests, begin_all, end_all);
}
