/* SPDX-License-Identifier: BSD-3-Clause */
#include "vxgatectl/screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define ALTERNATE_ON  "\033[?1049h\033[?25l"
#define ALTERNATE_OFF "\033[?25h\033[?1049l"

static struct {
	bool open;
	struct termios before;
} screen;
static volatile sig_atomic_t quit, resized;

static void signal_note(int number)
{
	if (number == SIGWINCH)
		resized = 1;
	else
		quit = 1;
}

/* Blocked but for the wait itself, so that a signal between looking at the flags and waiting is not missed. */
static sigset_t signals_caught(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGWINCH);
	return set;
}

void screen_catch_signals(void)
{
	struct sigaction action = { .sa_handler = signal_note };
	sigset_t set = signals_caught();

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGWINCH, &action, NULL);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

int screen_open(void)
{
	struct termios now;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return -ENOTTY;
	if (tcgetattr(STDIN_FILENO, &screen.before) != 0)
		return -errno;
	now = screen.before;
	now.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	now.c_cc[VMIN] = 0;
	now.c_cc[VTIME] = 0;
	now.c_cc[VSUSP] = _POSIX_VDISABLE; /* stopped, it would leave the shell on the wrong screen */
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &now) != 0)
		return -errno;
	screen.open = true;
	fputs(ALTERNATE_ON, stdout);
	fflush(stdout);
	return 0;
}

void screen_close(void)
{
	if (!screen.open)
		return;
	screen.open = false;
	fputs(ALTERNATE_OFF, stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &screen.before);
}

void screen_size(unsigned *width, unsigned *height)
{
	struct winsize size;

	*width = 80;
	*height = 24;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
		*width = size.ws_col;
		*height = size.ws_row;
	}
}

static bool key_quits(void)
{
	char key;
	ssize_t n = read(STDIN_FILENO, &key, 1);

	/* Nothing to read although something was said to be there: the terminal is gone. */
	return n <= 0 || key == 'q' || key == 'Q' || key == '\x04' || key == '\x03';
}

enum screen_event screen_wait(unsigned timeout_ms)
{
	struct timespec timeout = { .tv_sec = timeout_ms / 1000,
		.tv_nsec = (long)(timeout_ms % 1000) * 1000000 };
	struct pollfd key = { .fd = screen.open ? STDIN_FILENO : -1, .events = POLLIN };
	sigset_t mask;

	sigprocmask(SIG_BLOCK, NULL, &mask);
	sigset_t caught = signals_caught();
	for (int number = 1; number < NSIG; number++)
		if (sigismember(&caught, number) == 1)
			sigdelset(&mask, number);
	int ready = ppoll(&key, 1, &timeout, &mask);
	if (quit || (ready > 0 && key_quits()))
		return SCREEN_QUIT;
	if (resized) {
		resized = 0;
		return SCREEN_RESIZED;
	}
	return SCREEN_TIMEOUT;
}
