/* A Vulkan driver that hands all calls to REAL_DRIVER, a library, until the file DRIVER_FAULT is there:
 * "lost" loses the device at the next submission, "memory" refuses allocations of 4 MiB and more. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUT_OF_DEVICE_MEMORY = -2, DEVICE_LOST = -4 };

typedef void (*Function)(void);
typedef Function (*Lookup)(void *, const char *);
struct AllocateInfo { int type; const void *next; unsigned long long size; unsigned kind; };

static int (*real_submit)(void *, unsigned, const void *, void *);
static int (*real_allocate)(void *, const struct AllocateInfo *, const void *, void *);
static Lookup real_of_device;

static void *symbol(const char *name) {
  static void *library;
  if (!library) library = dlopen(getenv("REAL_DRIVER"), RTLD_NOW | RTLD_LOCAL);
  return library ? dlsym(library, name) : NULL;
}

static int fault(char first) {
  FILE *file = fopen(getenv("DRIVER_FAULT"), "r");
  if (!file) return 0;
  int found = fgetc(file);
  fclose(file);
  return found == first;
}

static int submit(void *queue, unsigned count, const void *submits, void *fence) {
  return fault('l') ? DEVICE_LOST : real_submit(queue, count, submits, fence);
}

static int allocate(void *device, const struct AllocateInfo *info, const void *host, void *made) {
  if (info->size >= 4 << 20 && fault('m')) return OUT_OF_DEVICE_MEMORY;
  return real_allocate(device, info, host, made);
}

static Function replaced(const char *name, Function real);

static Function of_device(void *device, const char *name) {
  return replaced(name, real_of_device(device, name));
}

static Function replaced(const char *name, Function real) {
  if (!real) return real;
  if (!strcmp(name, "vkQueueSubmit")) {
    real_submit = (int (*)(void *, unsigned, const void *, void *)) real;
    return (Function) submit;
  }
  if (!strcmp(name, "vkAllocateMemory")) {
    real_allocate = (int (*)(void *, const struct AllocateInfo *, const void *, void *)) real;
    return (Function) allocate;
  }
  if (!strcmp(name, "vkGetDeviceProcAddr")) {
    real_of_device = (Lookup) real;
    return (Function) of_device;
  }
  return real;
}

Function vk_icdGetInstanceProcAddr(void *instance, const char *name) {
  Lookup real = (Lookup) symbol("vk_icdGetInstanceProcAddr");
  return real ? replaced(name, real(instance, name)) : NULL;
}

Function vk_icdGetPhysicalDeviceProcAddr(void *instance, const char *name) {
  Lookup real = (Lookup) symbol("vk_icdGetPhysicalDeviceProcAddr");
  return real ? real(instance, name) : NULL;
}

int vk_icdNegotiateLoaderICDInterfaceVersion(unsigned *version) {
  int (*real)(unsigned *) = (int (*)(unsigned *)) symbol("vk_icdNegotiateLoaderICDInterfaceVersion");
  return real ? real(version) : -3;
}
