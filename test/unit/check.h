/*
 * check.h
 *
 * The whole test framework of the unit tests: count, report, exit status.
 */
#ifndef TEST_CHECK_H
#define TEST_CHECK_H

#include <stdio.h>
#include <string.h>

static int	check_passed;
static int	check_failed;

#define CHECK(cond) \
	do { \
		if (cond) \
			check_passed++; \
		else \
		{ \
			check_failed++; \
			fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #cond); \
		} \
	} while (0)

#define CHECK_STR(a, b) \
	do { \
		const char *a_ = (a); \
		const char *b_ = (b); \
		if (strcmp(a_, b_) == 0) \
			check_passed++; \
		else \
		{ \
			check_failed++; \
			fprintf(stderr, "%s:%d: failed: %s\n\tgot      %s\n\texpected %s\n", \
					__FILE__, __LINE__, #a, a_, b_); \
		} \
	} while (0)

/* The exit status of main. */
static inline int
check_done(void)
{
	printf("%d passed, %d failed\n", check_passed, check_failed);
	return check_failed != 0;
}

#endif
