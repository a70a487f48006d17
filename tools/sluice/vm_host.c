#include "tools/sluice/vm_host.h"

#include "common/cleanup.h"
#include "common/conf.h"
#include "common/io.h"
#include "common/ipc.h"
#include "common/log.h"
#include "vmm/holder.h"
#include "vmm/vmm.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

struct vm_host {
	struct event_base *base;
	struct holder *holder;
	char dir[32];
	char *sock;
};

static void
set(char **setting, const char *value)
{
	free(*setting);
	*setting = xstrdup(value);
}

error_t
vm_option(int key, char *arg, struct vm_options *options)
{
	switch (key) {
	case VM_KEY_BACKEND:
		options->backend = arg;
		return 0;
	case VM_KEY_DIRECTORY:
		options->directory = arg;
		return 0;
	case VM_KEY_REFERENCE:
		options->reference = arg;
		return 0;
	default:
		return util_common_option(key, arg, &options->common);
	}
}

struct conf *
vm_conf(const struct vm_options *options, int *ret_status)
{
	struct conf *conf = NULL;
	char err[512];

	/* Info lines of the holder in this process are nobody's news. */
	log_init("sluice", LOG_LEVEL_WARN);
	if (options->common.conf_path || access(UTIL_CONF_DEFAULT, F_OK) == 0) {
		conf = util_conf(&options->common, ret_status);
	} else if (conf_load(NULL, &conf, err, sizeof(err)) < 0) {
		*ret_status = util_fail(111, "vm", "%s", err);
		return NULL;
	}
	if (!conf)
		return NULL;
	if (options->backend || strcmp(conf->vm.backend, "none") == 0)
		set(&conf->vm.backend,
		    options->backend ? options->backend : "auto");
	if (options->directory)
		set(&conf->vm.directory, options->directory);
	if (options->reference)
		set(&conf->vm.references, options->reference);
	return conf;
}

struct vm_host *
vm_host_start(struct event_base *base, const struct conf *conf,
    const struct vmm_ops *ops, char *err, size_t err_size)
{
	struct vm_host *h = xcalloc(1, sizeof(*h));
	struct holder_parts parts = {
	    .conf = conf, .ops = ops, .why = "", .uid = geteuid()};

	h->base = base;
	strcpy(h->dir, "/tmp/sluice-vm.XXXXXX");
	if (!mkdtemp(h->dir)) { /* mode 0700: ours alone */
		(void)snprintf(err, err_size, "/tmp: %s", strerror(errno));
		free(h);
		return NULL;
	}
	h->sock = xasprintf("%s/vmm.sock", h->dir);
	parts.listen_fd = ipc_listen(h->sock);
	if (parts.listen_fd < 0) {
		(void)snprintf(err, err_size, "%s: %s", h->sock,
		    strerror(-parts.listen_fd));
		return vm_host_stop(h);
	}
	parts.meminfo = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
	h->holder = holder_new(base, &parts);
	return h;
}

const char *
vm_host_socket(const struct vm_host *host)
{
	return host->sock;
}

struct vm_host *
vm_host_stop(struct vm_host *host)
{
	if (!host)
		return NULL;
	if (host->holder) {
		holder_end(host->holder);
		(void)event_base_dispatch(host->base); /* it ends the loop */
		(void)holder_free(host->holder);
	}
	(void)unlink(host->sock);
	(void)rmdir(host->dir);
	free(host->sock);
	free(host);
	return NULL;
}
