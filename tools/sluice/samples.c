#include "tools/sluice/samples.h"

#include "common/cleanup.h"
#include "common/io.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

const struct sample samples[SAMPLE_COUNT] = {
    {"clean", NULL, SPOOL_OUT},
    {"EICAR", "clamd", SPOOL_VIRUS},
    {"refused extension", "policy", SPOOL_EXT},
    {"encrypted archive", "policy", SPOOL_EXT},
    {"GTUBE", "spam", SPOOL_SPAM},
};

/* notes.txt, 21 octets, by PKWARE's traditional cipher, password "sluice". */
static const char encrypted_zip[] =
    "UEsDBBQAAQAAAAAAIQBnTbuTIQAAABUAAAAJAAAAbm90ZXMudHh0duQ/CXEI\r\n"
    "mX3E5mrJY+yIx3NIXgGgjEQ/ZoNCUBMjYvgqUEsBAhQAFAABAAAAAAAhAGdN\r\n"
    "u5MhAAAAFQAAAAkAAAAAAAAAAAAAAAAAAAAAAG5vdGVzLnR4dFBLBQYAAAAA\r\n"
    "AQABADcAAABIAAAAAAA=\r\n";

#define BOUNDARY "=_sluice_selftest"

static char *
attach(const char *type, const char *name, const char *encoding,
    const char *first, const char *second)
{
	return xasprintf("MIME-Version: 1.0\r\n"
			 "Content-Type: multipart/mixed;\r\n"
			 " boundary=\"" BOUNDARY "\"\r\n"
			 "\r\n"
			 "--" BOUNDARY "\r\n"
			 "Content-Type: text/plain\r\n"
			 "\r\n"
			 "A sample of sluice selftest.\r\n"
			 "--" BOUNDARY "\r\n"
			 "Content-Type: %s; name=\"%s\"\r\n"
			 "Content-Disposition: attachment; filename=\"%s\"\r\n"
			 "Content-Transfer-Encoding: %s\r\n"
			 "\r\n"
			 "%s%s\r\n"
			 "--" BOUNDARY "--\r\n",
	    type, name, name, encoding, first, second);
}

static char *
sample_body(size_t i)
{
	switch (i) {
	case 1:
		return attach("text/plain", "sample.txt", "7bit",
		    "X5O!P%@AP[4\\PZX54(P^)7CC)7}",
		    "$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*");
	case 2:
		return attach("application/octet-stream", "invoice.exe", "7bit",
		    "No program at all,", " by its name alone.");
	case 3:
		return attach("application/zip", "notes.zip", "base64",
		    encrypted_zip, "");
	case 4:
		return xasprintf("\r\n%s%s\r\n", "XJS*C4JDBQADN1.NSBN3*2IDNEN*",
		    "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X");
	default:
		return xstrdup("\r\nA clean sample of sluice selftest.\r\n");
	}
}

char *
sample_text(size_t i, const char *sender, const char *rcpt)
{
	CLEANUP(free_ptr) char *body = sample_body(i);
	time_t now = time(NULL);
	struct tm tm;
	char date[64];

	(void)localtime_r(&now, &tm);
	(void)strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S %z", &tm);
	return xasprintf("From: <%s>\r\n"
			 "To: <%s>\r\n"
			 "Date: %s\r\n"
			 "Subject: sluice selftest: %s\r\n"
			 "Message-ID: <%ld.%d.%zu@selftest.invalid>\r\n"
			 "%s",
	    sender, rcpt, date, samples[i].name, (long)now, (int)getpid(), i,
	    body);
}
