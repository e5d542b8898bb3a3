/* SPDX-License-Identifier: BSD-3-Clause */
#include "nat_log/udp_sender.h"
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define IPV4_AND_UDP_BYTES 28
#define SEND_BUFFER        (4 << 20) /* a burst of records; the kernel gives what it may */

/* Connected, so that the host tells when the peer refuses. */
static int peer_connect(const struct udp_sender *sender)
{
	return connect(sender->fd, (const struct sockaddr *)&sender->peer, sizeof(sender->peer));
}

int udp_sender_open(struct udp_sender *sender, const struct ip_address *peer, uint16_t port,
	const struct ip_address *source)
{
	struct sockaddr_in local = { .sin_family = AF_INET, .sin_addr.s_addr = source->v4 };
	int size = SEND_BUFFER;

	*sender = (struct udp_sender){ .fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
		.peer = { .sin_family = AF_INET, .sin_addr.s_addr = peer->v4, .sin_port = htons(port) } };
	if (sender->fd < 0)
		return -errno;
	setsockopt(sender->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if ((source->family == AF_INET && bind(sender->fd, (struct sockaddr *)&local, sizeof(local)) < 0) ||
		(peer_connect(sender) < 0 && errno != ENETUNREACH)) {
		int error = errno;
		udp_sender_close(sender);
		return -error;
	}
	return 0;
}

void udp_sender_close(struct udp_sender *sender)
{
	if (sender->fd >= 0)
		close(sender->fd);
	sender->fd = -1;
}

bool udp_sender_send(struct udp_sender *sender, const void *data, size_t length)
{
	ssize_t sent = send(sender->fd, data, length, MSG_NOSIGNAL);
	int error = sent < 0 ? errno : 0;

	if (error == 0)
		return true;
	sender->errors++;
	sender->last_error = error;
	if (error == EDESTADDRREQ) { /* there was no route before */
		if (peer_connect(sender) < 0)
			return false;
		return send(sender->fd, data, length, MSG_NOSIGNAL) >= 0;
	}
	/* The peer refused what was sent before, and the host tells it instead of sending this. So one datagram
	 * was lost: this one is said to be, and goes out in its stead. */
	if (error == ECONNREFUSED)
		send(sender->fd, data, length, MSG_NOSIGNAL);
	return false;
}

size_t udp_sender_payload(const struct udp_sender *sender)
{
	socklen_t size = sizeof(int);
	int mtu = 0;

	if (getsockopt(sender->fd, IPPROTO_IP, IP_MTU, &mtu, &size) < 0 || mtu <= IPV4_AND_UDP_BYTES)
		return 0;
	return (size_t)mtu - IPV4_AND_UDP_BYTES;
}
