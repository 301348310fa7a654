/* SPDX-License-Identifier: BSD-2-Clause
 * Rows of the section model.
 */
#include "conf/rows.h"
#include "conf/text.h"

const struct tkt_conf_row tkt_conf_model_rows[TKT_CONF_MODEL_ROWS] = {
    {STRING_ROW(tkt_conf_model, file, "file", ""), .check = tkt_conf_is_path_or_empty,
     .reload = true,
     .help = "The learned model; empty: none. ticketctl model retrain writes it."},
    {INT_ROW(tkt_conf_model, threshold, "threshold", "20", 0, 100), .reload = true,
     .help = "Percent of probability from which on an answer of the model counts; below, "
             "it does not know."},
    {INT_ROW(tkt_conf_model, subject_weight, "subject_weight", "2", 1, 20),
     .reload = true,
     .help = "How often a word of the Subject counts beside one of the text, when a "
             "model is trained."},
    {SIZE_ROW(tkt_conf_model, size_max, "size_max", "64M", MIB, 256 * MIB),
     .reload = true,
     .help = "Bytes of a model that is trained: rare words are left out first."},
    {STRING_ROW(tkt_conf_model, trainer, "trainer", TKT_LIBEXECDIR "/ticket-train"),
     .check = tkt_conf_is_path, .reload = true,
     .help = "The program that trains models."},
};
