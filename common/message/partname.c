/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/partname.h"

#include "base/util.h"

#include <stdio.h>
#include <string.h>

/* The first row whose type is how ours begins. */
static const struct {
    const char *type;
    const char *stem;
    const char *ending;
} rows[] = {
    {"image/jpeg", "image", "jpg"},
    {"image/jpg", "image", "jpg"},
    {"image/pjpeg", "image", "jpg"},
    {"image/png", "image", "png"},
    {"image/gif", "image", "gif"},
    {"image/bmp", "image", "bmp"},
    {"image/tiff", "image", "tif"},
    {"image/svg+xml", "image", "svg"},
    {"image/webp", "image", "webp"},
    {"image/heic", "image", "heic"},
    {"image/", "image", "img"},
    {"audio/mpeg", "audio", "mp3"},
    {"audio/wav", "audio", "wav"},
    {"audio/x-wav", "audio", "wav"},
    {"audio/ogg", "audio", "ogg"},
    {"audio/amr", "audio", "amr"},
    {"audio/", "audio", "audio"},
    {"video/mp4", "video", "mp4"},
    {"video/quicktime", "video", "mov"},
    {"video/", "video", "video"},
    {"message/rfc822-headers", "headers", "txt"},
    {"message/rfc822", "message", "eml"},
    {"message/global", "message", "eml"},
    {"message/news", "message", "eml"},
    {"message/delivery-status", "delivery-status", "txt"},
    {"message/feedback-report", "feedback-report", "txt"},
    {"message/disposition-notification", "disposition", "txt"},
    {"message/", "message", "txt"},
    {"text/rfc822-headers", "headers", "txt"},
    {"text/calendar", "invitation", "ics"},
    {"text/vcard", "contact", "vcf"},
    {"text/x-vcard", "contact", "vcf"},
    {"text/directory", "contact", "vcf"},
    {"text/html", "text", "html"},
    {"text/csv", "table", "csv"},
    {"text/xml", "text", "xml"},
    {"text/rtf", "text", "rtf"},
    {"text/", "text", "txt"},
    {"application/pdf", "document", "pdf"},
    {"application/zip", "archive", "zip"},
    {"application/x-zip-compressed", "archive", "zip"},
    {"application/gzip", "archive", "gz"},
    {"application/ics", "invitation", "ics"},
    {"application/rtf", "text", "rtf"},
    {"application/json", "data", "json"},
    {"application/xml", "data", "xml"},
    {"application/msword", "document", "doc"},
    {"application/vnd.ms-excel", "table", "xls"},
    {"application/vnd.ms-powerpoint", "slides", "ppt"},
    {"application/vnd.openxmlformats-officedocument.wordprocessingml", "document",
     "docx"},
    {"application/vnd.openxmlformats-officedocument.spreadsheetml", "table", "xlsx"},
    {"application/vnd.openxmlformats-officedocument.presentationml", "slides", "pptx"},
    {"application/vnd.oasis.opendocument.text", "document", "odt"},
    {"application/vnd.oasis.opendocument.spreadsheet", "table", "ods"},
    {"application/pgp-signature", "signature", "asc"},
    {"application/pgp-keys", "key", "asc"},
    {"application/pgp-encrypted", "version", "txt"},
    {"application/pkcs7-signature", "smime", "p7s"},
    {"application/x-pkcs7-signature", "smime", "p7s"},
    {"application/pkcs7-mime", "smime", "p7m"},
    {"application/x-pkcs7-mime", "smime", "p7m"},
    {"application/ms-tnef", "winmail", "dat"},
    {"application/vnd.ms-tnef", "winmail", "dat"},
    {"", "attachment", "bin"},
};

void tkt_part_name(const char *type, const char *part, char out[TKT_PART_NAME_MAX])
{
    size_t i = 0;

    while (strncmp(type, rows[i].type, strlen(rows[i].type)) != 0) {
        i++; /* the last row takes all */
    }
    (void)snprintf(out, TKT_PART_NAME_MAX, "%s-%.240s.%s", rows[i].stem, part,
                   rows[i].ending);
    for (char *p = out; *p != '\0'; p++) {
        *p = *p == '/' ? '-' : *p;
    }
}
