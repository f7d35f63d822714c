/*
 * The seven libuv functions the addon calls, declared here so that building needs no uv.h: distributions often ship Node
 * without it, and npm has no package of it. libuv keeps its ABI within major version 1, and sizes are asked at run time
 * (uv_handle_size), never compiled in. test/abi.c compiles this next to the real uv.h, so that a difference is an error.
 */
#ifndef TYPEMETAL_LIBUV_H
#define TYPEMETAL_LIBUV_H

#include <stddef.h>

typedef struct uv_loop_s uv_loop_t;
typedef struct uv_handle_s uv_handle_t;
typedef struct uv_poll_s uv_poll_t;
typedef void (*uv_close_cb)(uv_handle_t *handle);
typedef void (*uv_poll_cb)(uv_poll_t *handle, int status, int events);

#define TM_UV_POLL 8U /* UV_POLL of enum uv_handle_type */

size_t uv_handle_size(unsigned type);
void *uv_handle_get_data(const uv_handle_t *handle);
void uv_handle_set_data(uv_handle_t *handle, void *data);
int uv_poll_init(uv_loop_t *loop, uv_poll_t *handle, int fd);
int uv_poll_start(uv_poll_t *handle, int events, uv_poll_cb callback);
int uv_poll_stop(uv_poll_t *handle);
void uv_close(uv_handle_t *handle, uv_close_cb callback);

#endif
