#ifndef VERITY_BPF_COPENSSL_H
#define VERITY_BPF_COPENSSL_H
#include <openssl/evp.h>
#include <openssl/err.h>
#endif
