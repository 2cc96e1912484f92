/* MIT's cryptography, a question per line of standard input and an answer per line of standard output.
 *
 *   k5crypto LIBRARY
 *
 * The library (libk5crypto) is opened by its path, and its interface is declared here: neither headers nor
 * a second build are needed. Words are separated by one blank; octets are in hex, and "-" stands for none.
 *
 *   encrypt   ENCTYPE USAGE KEY PLAIN             the sealed message
 *   decrypt   ENCTYPE USAGE KEY SEALED            the plain text, with its padding
 *   checksum  ENCTYPE USAGE KEY DATA              number and octets of the key's own checksum
 *   prf       ENCTYPE KEY INPUT                   the output
 *   s2k       ENCTYPE PASSWORD SALT PARAMETERS    the key
 *   r2k       ENCTYPE SEED                        the key
 *   cf2       ENCTYPE KEY PEPPER ENCTYPE KEY PEPPER    the key; peppers are text without blanks
 *   seal      ENCTYPE USAGE KEY PART...           header, parts, trailer; a part is s:SIGNED or e:SEALED
 *   open      ENCTYPE USAGE KEY HEADER PART... TRAILER    the parts
 *
 * What fails answers "error NUMBER".
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct { int32_t magic; unsigned int length; char *octets; } data;
typedef struct { int32_t magic; int32_t enctype; unsigned int length; unsigned char *octets; } keyblock;
typedef struct { int32_t magic; int32_t enctype; uint32_t kvno; data cipher; } sealed;
typedef struct { int32_t magic; int32_t type; unsigned int length; unsigned char *octets; } checksum;
typedef struct { int32_t kind; data octets; } iov;

enum { HEADER = 1, DATA = 2, SIGN_ONLY = 3, PADDING = 4, TRAILER = 5 };
#define MOST_PARTS 16
#define MOST_WORDS (MOST_PARTS + 8)

static struct {
    int32_t (*encrypt_length)(void *, int32_t, size_t, size_t *);
    int32_t (*encrypt)(void *, const keyblock *, int32_t, const data *, const data *, sealed *);
    int32_t (*decrypt)(void *, const keyblock *, int32_t, const data *, const sealed *, data *);
    int32_t (*make_checksum)(void *, int32_t, const keyblock *, int32_t, const data *, checksum *);
    int32_t (*prf_length)(void *, int32_t, size_t *);
    int32_t (*prf)(void *, const keyblock *, data *, data *);
    int32_t (*string_to_key)(void *, int32_t, const data *, const data *, const data *, keyblock *);
    int32_t (*keylengths)(void *, int32_t, size_t *, size_t *);
    int32_t (*random_to_key)(void *, int32_t, data *, keyblock *);
    int32_t (*cf2)(void *, keyblock *, const char *, keyblock *, const char *, keyblock **);
    int32_t (*crypto_length)(void *, int32_t, int32_t, unsigned int *);
    int32_t (*encrypt_iov)(void *, const keyblock *, int32_t, const data *, iov *, size_t);
    int32_t (*decrypt_iov)(void *, const keyblock *, int32_t, const data *, iov *, size_t);
} k5;

static const struct { const char *name; void *place; } SYMBOLS[] = {
    {"krb5_c_encrypt_length", &k5.encrypt_length}, {"krb5_c_encrypt", &k5.encrypt},
    {"krb5_c_decrypt", &k5.decrypt},               {"krb5_c_make_checksum", &k5.make_checksum},
    {"krb5_c_prf_length", &k5.prf_length},         {"krb5_c_prf", &k5.prf},
    {"krb5_c_string_to_key_with_params", &k5.string_to_key},
    {"krb5_c_keylengths", &k5.keylengths},         {"krb5_c_random_to_key", &k5.random_to_key},
    {"krb5_c_fx_cf2_simple", &k5.cf2},             {"krb5_c_crypto_length", &k5.crypto_length},
    {"krb5_c_encrypt_iov", &k5.encrypt_iov},       {"krb5_c_decrypt_iov", &k5.decrypt_iov},
};

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void *room(size_t length)
{
    void *place = calloc(1, length + 1);
    if (place == NULL)
        fail("out of memory");
    return place;
}

static data from_hex(const char *word)
{
    data given = {0, 0, NULL};
    size_t length = strcmp(word, "-") == 0 ? 0 : strlen(word) / 2;
    given.octets = room(length);
    given.length = length;
    for (size_t at = 0; at < length; at++) {
        unsigned int octet;
        if (sscanf(word + 2 * at, "%2x", &octet) != 1)
            fail("no hex");
        given.octets[at] = (char)octet;
    }
    return given;
}

static keyblock key_from(const char *enctype, const char *word)
{
    data octets = from_hex(word);
    keyblock key = {0, atoi(enctype), octets.length, (unsigned char *)octets.octets};
    return key;
}

static void say(const void *octets, size_t length)
{
    if (length == 0)
        printf("-");
    for (size_t at = 0; at < length; at++)
        printf("%02x", ((const unsigned char *)octets)[at]);
}

static int32_t encrypt_or_decrypt(int encrypts, char **words)
{
    keyblock key = key_from(words[1], words[3]);
    data given = from_hex(words[4]);
    sealed message = {0, key.enctype, 0, {0, 0, NULL}};
    int32_t error;
    if (encrypts) {
        size_t length;
        error = k5.encrypt_length(NULL, key.enctype, given.length, &length);
        if (error)
            return error;
        message.cipher.length = length;
        message.cipher.octets = room(length);
        error = k5.encrypt(NULL, &key, atoi(words[2]), NULL, &given, &message);
        if (!error)
            say(message.cipher.octets, message.cipher.length);
    } else {
        data plain = {0, given.length, room(given.length)};
        message.cipher = given;
        error = k5.decrypt(NULL, &key, atoi(words[2]), NULL, &message, &plain);
        if (!error)
            say(plain.octets, plain.length);
    }
    return error;
}

static int32_t sign(char **words)
{
    keyblock key = key_from(words[1], words[3]);
    data given = from_hex(words[4]);
    checksum made = {0, 0, 0, NULL};
    int32_t error = k5.make_checksum(NULL, 0, &key, atoi(words[2]), &given, &made);
    if (!error) {
        printf("%d ", made.type);
        say(made.octets, made.length);
    }
    return error;
}

static int32_t pseudo_random(char **words)
{
    keyblock key = key_from(words[1], words[2]);
    data given = from_hex(words[3]), output = {0, 0, NULL};
    size_t length;
    int32_t error = k5.prf_length(NULL, key.enctype, &length);
    if (error)
        return error;
    output.length = length;
    output.octets = room(length);
    error = k5.prf(NULL, &key, &given, &output);
    if (!error)
        say(output.octets, output.length);
    return error;
}

static int32_t make_key(int from_password, char **words)
{
    keyblock key = {0, 0, 0, NULL};
    int32_t enctype = atoi(words[1]), error;
    data given = from_hex(words[2]);
    if (from_password) {
        data salt = from_hex(words[3]), parameters = from_hex(words[4]);
        error = k5.string_to_key(NULL, enctype, &given, &salt, parameters.length ? &parameters : NULL, &key);
    } else {
        size_t bytes, length;
        error = k5.keylengths(NULL, enctype, &bytes, &length);
        if (error)
            return error;
        key.enctype = enctype;
        key.length = length;
        key.octets = room(length);
        error = k5.random_to_key(NULL, enctype, &given, &key);
    }
    if (!error)
        say(key.octets, key.length);
    return error;
}

static int32_t combine(char **words)
{
    keyblock first = key_from(words[1], words[2]), second = key_from(words[4], words[5]), *made;
    int32_t error = k5.cf2(NULL, &first, words[3], &second, words[6], &made);
    if (!error)
        say(made->octets, made->length);
    return error;
}

static int32_t in_parts(int seals, char **words, int count)
{
    keyblock key = key_from(words[1], words[3]);
    iov parts[MOST_PARTS + 3];
    int first = seals ? 4 : 5, last = seals ? count : count - 1, used = 0;
    unsigned int header, padding, trailer;
    int32_t error = k5.crypto_length(NULL, key.enctype, HEADER, &header);
    error = error ? error : k5.crypto_length(NULL, key.enctype, PADDING, &padding);
    error = error ? error : k5.crypto_length(NULL, key.enctype, TRAILER, &trailer);
    if (error)
        return error;
    if (last - first > MOST_PARTS || last < first)
        fail("too many parts");
    memset(parts, 0, sizeof(parts));
    parts[used].kind = HEADER;
    parts[used].octets.length = header;
    parts[used++].octets.octets = room(header);
    for (int at = first; at < last; at++) {
        parts[used].kind = words[at][0] == 's' ? SIGN_ONLY : DATA;
        parts[used++].octets = from_hex(words[at] + 2);
    }
    if (seals && padding) {
        parts[used].kind = PADDING;
        parts[used].octets.length = padding;
        parts[used++].octets.octets = room(padding);
    }
    if (trailer) {
        parts[used].kind = TRAILER;
        parts[used].octets.length = trailer;
        parts[used++].octets.octets = room(trailer);
    }
    if (!seals) {
        parts[0].octets = from_hex(words[4]);
        if (trailer)
            parts[used - 1].octets = from_hex(words[count - 1]);
    }
    error = (seals ? k5.encrypt_iov : k5.decrypt_iov)(NULL, &key, atoi(words[2]), NULL, parts, used);
    for (int at = 0; !error && at < used; at++) {
        int part = parts[at].kind == DATA || parts[at].kind == SIGN_ONLY;
        if (!part && (!seals || parts[at].kind == PADDING))
            continue;
        say(parts[at].octets.octets, parts[at].octets.length);
        printf(" ");
    }
    return error;
}

static int32_t answer(char **words, int count)
{
    static const struct { const char *name; int least; } KNOWN[] = {
        {"encrypt", 5}, {"decrypt", 5}, {"checksum", 5}, {"prf", 4}, {"s2k", 5},
        {"r2k", 3},     {"cf2", 7},     {"seal", 5},     {"open", 7},
    };
    size_t which = 0;
    while (which < sizeof(KNOWN) / sizeof(*KNOWN) && strcmp(words[0], KNOWN[which].name) != 0)
        which++;
    if (which == sizeof(KNOWN) / sizeof(*KNOWN) || count < KNOWN[which].least)
        fail("no such question");
    switch (which) {
    case 0: case 1: return encrypt_or_decrypt(which == 0, words);
    case 2: return sign(words);
    case 3: return pseudo_random(words);
    case 4: case 5: return make_key(which == 4, words);
    case 6: return combine(words);
    default: return in_parts(which == 7, words, count);
    }
}

int main(int count, char **arguments)
{
    void *library = count == 2 ? dlopen(arguments[1], RTLD_NOW) : NULL;
    char *line = NULL;
    size_t size = 0;
    if (library == NULL)
        fail("usage: k5crypto LIBRARY");
    for (size_t at = 0; at < sizeof(SYMBOLS) / sizeof(*SYMBOLS); at++) {
        void *symbol = dlsym(library, SYMBOLS[at].name);
        if (symbol == NULL)
            fail(SYMBOLS[at].name);
        memcpy(SYMBOLS[at].place, &symbol, sizeof(symbol));
    }
    /* Room that was lent is not given back: the program ends with its questions. */
    while (getline(&line, &size, stdin) > 0) {
        char *words[MOST_WORDS];
        int found = 0;
        for (char *word = strtok(line, " \n"); word != NULL && found < MOST_WORDS; word = strtok(NULL, " \n"))
            words[found++] = word;
        if (found == 0)
            fail("an empty question");
        int32_t error = answer(words, found);
        if (error)
            printf("error %d", (int)error);
        printf("\n");
    }
    return fflush(stdout) != 0;
}
