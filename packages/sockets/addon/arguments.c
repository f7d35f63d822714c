#include <errno.h>

#include "addon.h"

/* Arguments that were left out come as undefined, which the functions below refuse. */
bool get_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values, struct addon **addon) {
  void *data = NULL;
  if (napi_get_cb_info(env, info, &count, values, NULL, &data) != napi_ok) return false;
  *addon = data;
  return true;
}

bool get_int(napi_env env, napi_value value, int *result) {
  if (napi_get_value_int32(env, value, result) == napi_ok) return true;
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "expected an integer");
  return false;
}

static bool get_array(napi_env env, napi_value value, napi_typedarray_type wanted, void **data, size_t *length) {
  bool typed = false;
  napi_typedarray_type type;
  if (napi_is_typedarray(env, value, &typed) == napi_ok && typed &&
      napi_get_typedarray_info(env, value, &type, length, data, NULL, NULL) == napi_ok && type == wanted)
    return true;
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE",
                        wanted == napi_uint8_array ? "expected a Uint8Array" : "expected a Uint32Array");
  return false;
}

bool get_octets(napi_env env, napi_value value, struct octets *result) {
  void *data = NULL;
  if (!get_array(env, value, napi_uint8_array, &data, &result->length)) return false;
  result->data = data;
  return true;
}

bool get_optional_octets(napi_env env, napi_value value, struct octets *result) {
  napi_valuetype type;
  result->data = NULL;
  result->length = 0;
  if (napi_typeof(env, value, &type) == napi_ok && type == napi_undefined) return true;
  return get_octets(env, value, result);
}

bool get_words(napi_env env, napi_value value, uint32_t **data, size_t *count) {
  void *words = NULL;
  if (!get_array(env, value, napi_uint32_array, &words, count)) return false;
  *data = words;
  return true;
}

napi_value to_number(napi_env env, int64_t number) {
  napi_value value = NULL;
  napi_create_int64(env, number, &value);
  return value;
}

napi_value to_result(napi_env env, int64_t result) { return to_number(env, result < 0 ? -errno : result); }
