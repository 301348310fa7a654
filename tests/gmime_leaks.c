/* SPDX-License-Identifier: BSD-2-Clause
 * For LeakSanitizer: GMime 3.2.13 loses a small buffer on some broken domain literals
 * ("a"@[1b). A parser child lives for a few hundred messages only; what our own code
 * loses is still reported.
 */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:libglib-2.0\n";
}
