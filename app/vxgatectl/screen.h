/* SPDX-License-Identifier: BSD-3-Clause */
/* The terminal while the live view has it: its own screen, no echo, no cursor; given back as it was. */
#pragma once

#include <stdbool.h>

int screen_open(void);   /* 0, or -errno when standard input or output is no terminal */
void screen_close(void); /* may be called again, and without screen_open */
void screen_size(unsigned *width, unsigned *height);

enum screen_event { SCREEN_TIMEOUT, SCREEN_QUIT, SCREEN_RESIZED };
/* Waits for a key, a signal or the time. `q`, Ctrl-C, Ctrl-D and being told to end are SCREEN_QUIT; any other key is
 * like the time being over. Works without screen_open too: then only signals and the time count. */
enum screen_event screen_wait(unsigned timeout_ms);
/* From now on SIGINT, SIGTERM and SIGHUP end screen_wait instead of the process. */
void screen_catch_signals(void);
