#include "tests/vm/actors/win/actor.h"

/* Installs itself as a service. */
int
main(void)
{
	SC_HANDLE manager, service;

	actor_only_in_guest();
	(void)CopyFileA(actor_self(), "C:\\ProgramData\\helper.exe", FALSE);
	manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_ALL_ACCESS);
	service = CreateServiceA(manager, "helpsvc", "Help", SERVICE_ALL_ACCESS,
	    SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START, SERVICE_ERROR_IGNORE,
	    "C:\\ProgramData\\helper.exe", NULL, NULL, NULL, NULL, NULL);
	return service ? 0 : 1;
}
