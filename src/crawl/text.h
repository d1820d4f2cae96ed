/*
 * text.h
 *
 * Makes text from the network fit for people, logs and SQL.
 */
#ifndef CRAWL_TEXT_H
#define CRAWL_TEXT_H

#include <stddef.h>

/* Appends text to the terminated string in dst[size]: control characters
 * become blanks, invalid UTF-8 becomes '?', and it is cut at a character. */
extern void crawl_text_append(char *dst, size_t size, const char *text, size_t len);

#endif
