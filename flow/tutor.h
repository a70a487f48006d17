/*
 * flow/tutor.h - the loop of sluice-learn: connections judged, mail learned
 * from, models made and saved by a child of its own.
 */
#ifndef SLUICE_FLOW_TUTOR_H
#define SLUICE_FLOW_TUTOR_H

struct conf;

/*
 * Learn and answer (flow/lesson.h) at flow/learn.sock in site.runtime, until
 * SIGTERM or SIGINT; what was learned is saved then.  Begins as root, to give
 * the directory flow in site.state to its user, whom it becomes before it
 * reads anything.  Returns the exit status: 0; 111: the system failed, another
 * learns there, or what is kept there is damaged (the log says what to do).
 */
int tutor_run(const struct conf *conf);

#endif
