/* SPDX-License-Identifier: BSD-2-Clause
 * What is learned with unless somebody says otherwise. ticketctl links it, without liblinear.
 */
#include "train/learn.h"

void tkt_learn_defaults(struct tkt_learn_options *out)
{
    *out = (struct tkt_learn_options){
        .cost = 1.0,
        .bayes_share = 0.03,
        .bayes_smooth = 0.01,
        .piece_weight = 1.5,
        .idf_power = 0.5,
        .subject_weight = 2.0,
        .size_max = TKT_LEARN_SIZE_DEFAULT,
        .seed = 1,
        .date = "",
    };
}
