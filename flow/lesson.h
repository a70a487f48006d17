/*
 * flow/lesson.h - what sluice-learn is asked and told, and its answers, as
 * text: one packet of a SOCK_SEQPACKET socket is one of them.
 *
 *   judge client=192.0.2.7 port=40312 start=1700000000.5 ttl=57 pkts_in=12 ...
 *   learn content=13.2 client=192.0.2.7 ...
 *   teach label=spam content=1.5 client=192.0.2.7 ...
 *   status
 *   retrain
 *
 * Words in any order behind judge, learn and teach, at least one feature, each
 * by its name in flow/features.def ("null": it can't be told); at= is passed
 * over.  So what sluice-flow has answered, from client= on, can be passed on as
 * it is (flow/ask.h).  content: the content filter's score of the mail, without
 * what connections added.  teach: by an operator, past the guards; content may
 * be missing.
 *
 *   opinion score=2.25 points=3 above=1 why=idle_max (+0.8), rtt_var (+0.5)
 *   learned label=spam (or ham), unsure, refused why=...
 *   status n_ham=512 n_spam=498 version=m0123456789abcdef accuracy=0.9 why=...
 *   retrained begun=1
 *   none reason=bad-question
 *
 * score is log-odds of spam, "null" without a model; above: it is above what
 * the record has earned points from; why takes the rest of the line.
 * version: of the model, the same wherever it is the same; accuracy: of the
 * models that judged the last labelled mails; both null without.  begun 0: one
 * is being made already, or there are too few samples.  Pure.
 */
#ifndef SLUICE_FLOW_LESSON_H
#define SLUICE_FLOW_LESSON_H

#include "flow/learn.h"

#define LESSON_MAX        2048
#define LESSON_ANSWER_MAX 512

enum lesson_verb {
	LESSON_JUDGE,
	LESSON_LEARN,
	LESSON_TEACH,
	LESSON_STATUS,
	LESSON_RETRAIN
};

struct lesson {
	enum lesson_verb verb;
	struct flow_sample sample; /* is_spam: of LESSON_TEACH, else false */
	bool has_label;
	uint64_t connection; /* a hash: one for all its messages */
	double content;      /* of LESSON_LEARN and _TEACH; NAN: none */
	double ttl;          /* of the connection; NAN: unknown */
};

/* 0, or -EINVAL: it is none, *ret untouched. */
int lesson_parse(const char *text, size_t n, struct lesson *ret);

enum lesson_taken { LESSON_HAM, LESSON_SPAM, LESSON_UNSURE, LESSON_REFUSED };

/* Answers, into buf of LESSON_ANSWER_MAX octets; their lengths.  why: of
 * LESSON_REFUSED, NULL when it is the sender's alone. */
size_t lesson_opinion(
    const struct flow_opinion *opinion, double threshold, char *buf);
size_t lesson_learned(enum lesson_taken taken, const char *why, char *buf);
/* version NULL, accuracy NAN: null. */
size_t lesson_status(const uint64_t seen[2], const char *version,
    double accuracy, const char *why, char *buf);
size_t lesson_retrained(bool is_begun, char *buf);
size_t lesson_bad(char *buf);

#endif
