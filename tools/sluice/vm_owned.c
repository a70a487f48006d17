/*
 * tools/sluice/vm_owned.c - what a hypervisor has of ours, by its own ledger:
 * also when sluice-vmm is gone, or hangs.
 */
#include "tools/sluice/vm.h"

#include "common/cleanup.h"
#include "common/conf.h"
#include "tools/sluice/util.h"
#include "vmm/backends.h"
#include "vmm/vmm.h"

static const char *
state_of(const struct vmm_owned *owned)
{
	if (!owned->is_there)
		return "gone";
	if (owned->is_orphan)
		return "orphan";
	return owned->until_usec ? "running" : "standing";
}

static void
add(void *arg, const struct vmm_owned *owned)
{
	json_t *parent = owned->parent == UINT32_MAX
			     ? json_null()
			     : json_integer(owned->parent);

	(void)json_array_append_new(arg,
	    json_pack("{sI ss ss so so sI sI sI sI so}", "domain",
		(json_int_t)owned->domain, "role",
		owned->is_clone ? "clone" : "reference", "state",
		state_of(owned), "reference", util_json_text(owned->reference),
		"parent", parent, "slot", (json_int_t)owned->slot, "holder",
		(json_int_t)owned->holder, "private_bytes",
		(json_int_t)owned->private_bytes, "until_usec",
		(json_int_t)owned->until_usec, "mail",
		util_json_text(owned->mail)));
}

json_t *
vm_owned(const struct conf *conf)
{
	const struct vmm_options options = {.state = conf->vm.directory};
	json_t *list = json_array();

	for (size_t i = 0; i < backends_n; i++)
		if (backends[i]->owned)
			(void)backends[i]->owned(&options, add, list);
	return list;
}

static const char *
text(const json_t *row, const char *name)
{
	return json_string_value(json_object_get(row, name));
}

static long long
number(const json_t *row, const char *name)
{
	return json_integer_value(json_object_get(row, name));
}

void
vm_owned_print(const json_t *list, FILE *out)
{
	static const char *const titles[] = {">domain", "role", "state",
	    "reference", ">parent", ">holder", ">private", "mail"};
	struct table *t;
	const json_t *row;
	char bytes[32];
	size_t i;

	if (json_array_size(list) == 0)
		return;
	t = table_new(ARRAY_SIZE(titles), titles);
	json_array_foreach (list, i, row) {
		table_cell(t, "%lld", number(row, "domain"));
		table_cell(t, "%s", text(row, "role"));
		table_cell(t, "%s", text(row, "state"));
		table_cell(t, "%s", text(row, "reference"));
		if (json_is_null(json_object_get(row, "parent")))
			table_cell(t, "-");
		else
			table_cell(t, "%lld", number(row, "parent"));
		table_cell(t, "%lld", number(row, "holder"));
		table_cell(t, "%s",
		    util_bytes((uint64_t)number(row, "private_bytes"), bytes,
			sizeof(bytes)));
		table_cell(t, "%s", text(row, "mail"));
	}
	table_print(t, out);
}
