/*
 * What the acting programs for Windows share.  They play what rules are
 * about, with nothing in it that could harm, and only inside a guest: under
 * Wine, with the file there that vmm/reference/wine.recipe leaves.
 */
#ifndef SLUICE_TESTS_VM_WIN_ACTOR_H
#define SLUICE_TESTS_VM_WIN_ACTOR_H

#include <winsock2.h>

#include <windows.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ACTOR_REFUSES 77
#define ACTOR_FILES   32
#define DOCUMENTS     "C:\\users\\root\\Documents"
#define TEMPORARY     "C:\\users\\root\\AppData\\Local\\Temp"
#define RUN_KEY       "Software\\Microsoft\\Windows\\CurrentVersion\\Run"
#define STARTUP \
	"C:\\users\\root\\AppData\\Roaming\\Microsoft\\Windows\\Start Menu" \
	"\\Programs\\Startup"

/* Leave at once if this is no guest. */
static inline void
actor_only_in_guest(void)
{
	if (!GetProcAddress(
		GetModuleHandleA("ntdll.dll"), "wine_get_version") ||
	    GetFileAttributesA("C:\\sluice-guest") == INVALID_FILE_ATTRIBUTES)
		ExitProcess(ACTOR_REFUSES);
}

__attribute__((unused)) static void
actor_write(const char *path, const void *octets, size_t n)
{
	FILE *f = fopen(path, "wb");

	if (!f)
		return;
	(void)fwrite(octets, 1, n, f);
	(void)fclose(f);
}

__attribute__((unused)) static size_t
actor_read(const char *path, char *octets, size_t size)
{
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(octets, 1, size - 1, f) : 0;

	if (f)
		(void)fclose(f);
	octets[n] = '\0';
	return n;
}

__attribute__((unused)) static const char *
actor_self(void)
{
	static char path[MAX_PATH];

	(void)GetModuleFileNameA(NULL, path, sizeof(path));
	return path;
}

/* The plain files of a directory, not more than there is room for. */
__attribute__((unused)) static size_t
actor_files(const char *dir, char paths[ACTOR_FILES][MAX_PATH])
{
	WIN32_FIND_DATAA found;
	char pattern[MAX_PATH];
	HANDLE search;
	size_t n = 0;

	(void)snprintf(pattern, sizeof(pattern), "%s\\*", dir);
	search = FindFirstFileA(pattern, &found);
	if (search == INVALID_HANDLE_VALUE)
		return 0;
	do {
		if (!(found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY))
			(void)snprintf(paths[n++], MAX_PATH, "%s\\%s", dir,
			    found.cFileName);
	} while (n < ACTOR_FILES && FindNextFileA(search, &found));
	(void)FindClose(search);
	return n;
}

/* Start a command; wait for its end unless its process is wanted. */
__attribute__((unused)) static bool
actor_run(const char *command, DWORD flags, PROCESS_INFORMATION *ret)
{
	STARTUPINFOA start = {.cb = sizeof(start)};
	PROCESS_INFORMATION process;
	char line[1024];

	(void)snprintf(line, sizeof(line), "%s", command);
	if (!CreateProcessA(NULL, line, NULL, NULL, FALSE, flags, NULL, NULL,
		&start, &process))
		return false;
	if (ret)
		*ret = process;
	else
		(void)WaitForSingleObject(process.hProcess, 20000);
	return true;
}

/* A value that is a string. */
__attribute__((unused)) static void
actor_set(HKEY root, const char *key, const char *name, const char *data)
{
	HKEY open;

	if (RegCreateKeyExA(root, key, 0, NULL, 0, KEY_ALL_ACCESS, NULL, &open,
		NULL) != ERROR_SUCCESS)
		return;
	(void)RegSetValueExA(
	    open, name, 0, REG_SZ, (const BYTE *)data, (DWORD)strlen(data) + 1);
	(void)RegCloseKey(open);
}

/* Connect, or INVALID_SOCKET. */
__attribute__((unused)) static SOCKET
actor_connect(const char *addr, unsigned short port)
{
	struct sockaddr_in to = {
	    .sin_family = AF_INET, .sin_port = htons(port)};
	WSADATA data;
	SOCKET s;

	(void)WSAStartup(MAKEWORD(2, 2), &data);
	to.sin_addr.s_addr = inet_addr(addr);
	s = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(s, (struct sockaddr *)&to, sizeof(to)) != 0)
		return INVALID_SOCKET;
	return s;
}

/* Connect, say something, hear the answer. */
__attribute__((unused)) static int
actor_send(const char *addr, unsigned short port, const char *text, size_t n,
    char *answer, int size)
{
	SOCKET s = actor_connect(addr, port);
	char nowhere[512];
	int heard;

	if (s == INVALID_SOCKET)
		return -1;
	(void)send(s, text, (int)n, 0);
	(void)shutdown(s, SD_SEND);
	heard = recv(s, answer ? answer : nowhere, answer ? size : 512, 0);
	(void)closesocket(s);
	return heard;
}

__attribute__((unused)) static void
actor_say(SOCKET s, const char *line)
{
	char answer[512];

	(void)send(s, line, (int)strlen(line), 0);
	(void)recv(s, answer, sizeof(answer), 0);
}

#endif
