/*
 * setup.h
 *
 * What the programs of this folder begin with.
 */
#ifndef TEST_PROPERTY_SETUP_H
#define TEST_PROPERTY_SETUP_H

#include "../../src/net/net.h"

/* A Net for loopback; exits when there is none. */
extern Net *setup_net(uv_loop_t *loop, uint32_t connections);
extern void setup_close(Net *net, uv_loop_t *loop);

#endif
