/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers as people read them. Each writes into `text` and returns it. */
#pragma once

#include <stdint.h>

#define NUMBER_TEXT 40

const char *count_text(uint64_t count, char text[NUMBER_TEXT]);      /* 1,234,567 */
const char *rate_text(double rate, char text[NUMBER_TEXT]);          /* 1,234,567; below 10: 0.5 */
const char *bits_text(double bits, char text[NUMBER_TEXT]);          /* a second: 1.23 Gbit/s */
const char *duration_text(uint64_t seconds, char text[NUMBER_TEXT]); /* 5s, 2m 3s, 2h 4m, 3d 4h */
const char *milliseconds_text(uint64_t ms, char text[NUMBER_TEXT]);  /* 12ms, 3.4s, then as a duration */
