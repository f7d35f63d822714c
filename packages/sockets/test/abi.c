/* Compiles only while addon/libuv.h says the same as the real uv.h: a prototype that differs is an error. */
#include <uv.h>

#include "../addon/libuv.h"

_Static_assert(TM_UV_POLL == UV_POLL, "UV_POLL");
_Static_assert(UV_READABLE == 1 && UV_WRITABLE == 2, "uv_poll_event");
