#include "tests/vm/actors/win/actor.h"

/* Puts code into a program that it started and runs it there. */
int
main(void)
{
	static const unsigned char code[] = {0xc3}; /* return */
	PROCESS_INFORMATION process;
	SIZE_T written;
	HANDLE thread;
	void *at;

	actor_only_in_guest();
	if (!actor_run("C:\\windows\\system32\\notepad.exe", CREATE_SUSPENDED,
		&process))
		return 1;
	at = VirtualAllocEx(process.hProcess, NULL, 4096,
	    MEM_COMMIT | MEM_RESERVE, PAGE_EXECUTE_READWRITE);
	(void)WriteProcessMemory(
	    process.hProcess, at, code, sizeof(code), &written);
	thread = CreateRemoteThread(process.hProcess, NULL, 0,
	    (LPTHREAD_START_ROUTINE)at, NULL, 0, NULL);
	(void)WaitForSingleObject(thread, 3000);
	(void)TerminateProcess(process.hProcess, 0);
	return 0;
}
