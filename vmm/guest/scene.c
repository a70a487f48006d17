#include "vmm/guest/scene.h"

#include "vmm/mailbox.h"

void
scene_publish(const struct scene *scene)
{
	if (!scene->box)
		return;
	mailbox_store(scene->box->lost, (uint32_t)scene->report.lost);
	mailbox_store(scene->box->report_bytes, (uint32_t)scene->report.used);
}
