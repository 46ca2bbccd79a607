/* Plugins that must be refused at load, one defect each; the defect is chosen by -DBROKEN_<name>. Written in plain C
 * against abi.h alone, so that it stays possible. Without a defect it is the smallest correct plugin. */
#include <godwit/abi.h>

#define STR(text) \
  { text, sizeof(text) - 1 }

static int32_t create(const gw_host* host, gw_str config, const gw_diag* diag, void** self) {
  static int instance;
  (void)host, (void)config, (void)diag;
  *self = &instance;
  return GW_OK;
}
static int32_t start(void* self, const gw_diag* diag) {
  (void)self, (void)diag;
  return GW_OK;
}
#ifndef BROKEN_NO_SUBMIT
static int32_t submit(void* self, const gw_batch* batch) {
  (void)self, (void)batch;
  return GW_E_BUSY;
}
#endif
static void stop(void* self) {
  (void)self;
}
static void destroy(void* self) {
  (void)self;
}
#ifdef BROKEN_MISSING_FUNCTION
void a_function_that_nobody_has(void);
static int32_t check_config(gw_str config, const gw_diag* diag) {
  (void)config, (void)diag;
  a_function_that_nobody_has();
  return GW_OK;
}
#endif
#ifdef BROKEN_INIT
static int32_t init(gw_str path, const gw_diag* diag) {
  static const gw_str text = STR("the licence of this plugin has ended");
  static const gw_str nowhere = {0, 0};
  (void)path;
  diag->report(diag->ctx, GW_DIAG_ERROR, nowhere, text);
  return GW_E_DENIED;
}
#endif
#ifdef BROKEN_CRASH
__attribute__((constructor)) static void crash(void) {
  __builtin_trap();
}
#endif

static const gw_channel_ops ops = {
    .size = sizeof(gw_channel_ops),
#ifdef BROKEN_MISSING_FUNCTION
    .check_config = check_config,
#endif
    .create = create,
    .start = start,
#ifndef BROKEN_NO_SUBMIT
    .submit = submit,
#endif
    .stop = stop,
    .destroy = destroy,
};

static const gw_caps caps = {
    .size = sizeof(gw_caps),
    .max_batch = 1,
    .max_window = 1,
#ifdef BROKEN_WEBHOOK
    .flags = GW_CAP_WEBHOOK,
#endif
#ifdef BROKEN_MULTICAST
    .max_targets = 10,
#else
    .max_targets = 1,
#endif
};

static const gw_channel_type type = {
    .size = sizeof(gw_channel_type),
    .id = STR("broken"),
    .name = STR("Broken on purpose"),
    .version = STR("1.0.0"),
#ifdef BROKEN_SCHEMA
    .config_schema = STR("{\"type\": "),
#else
    .config_schema = STR("{\"type\": \"object\", \"additionalProperties\": false}"),
#endif
    .config_example = STR("{}"),
    .caps = &caps,
    .ops = &ops,
};
static const gw_channel_type* const types[] = {&type};

#if defined BROKEN_NO_SYMBOL
GW_EXPORT const int gw_entry_of_something_else = 1;
#elif defined BROKEN_OTHER_MAJOR
extern GW_EXPORT const gw_entry gw_entry_7;
const gw_entry gw_entry_7 = {
#else
const gw_entry GW_ENTRY_SYMBOL = {
#endif
#ifndef BROKEN_NO_SYMBOL
#ifdef BROKEN_SMALL_ENTRY
.size = 12,
#else
.size = sizeof(gw_entry),
#endif
#ifdef BROKEN_MAJOR_INSIDE
    .abi_major = 3,
#else
    .abi_major = GW_ABI_MAJOR,
#endif
    .abi_minor = GW_ABI_MINOR,
#ifdef BROKEN_NEWER_HOST
    .min_host_minor = 99,
#endif
    .type_count = 1, .types = types,
#ifdef BROKEN_INIT
    .init = init,
#endif
}
;
#else
    const gw_channel_type* const * keep_types(void){return types;
}
#endif
