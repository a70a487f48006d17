#include "tests/vm/actors/win/actor.h"

#define PROGRAM "C:\\Program Files\\Indexer\\indexer.exe"

/* Installs a service where programs belong, and says so in the list. */
int
main(void)
{
	SC_HANDLE manager, service;

	actor_only_in_guest();
	(void)CreateDirectoryA("C:\\Program Files\\Indexer", NULL);
	(void)CopyFileA(actor_self(), PROGRAM, FALSE);
	actor_set(HKEY_LOCAL_MACHINE,
	    "Software\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\Indexer",
	    "DisplayName", "Indexer");
	manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_ALL_ACCESS);
	service = CreateServiceA(manager, "indexer", "Indexer",
	    SERVICE_ALL_ACCESS, SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START,
	    SERVICE_ERROR_NORMAL, PROGRAM, NULL, NULL, NULL, NULL, NULL);
	return service ? 0 : 1;
}
