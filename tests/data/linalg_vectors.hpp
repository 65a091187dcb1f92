// Results of NumPy and SciPy; made by make_linalg_vectors.py.
#pragma once

namespace fluxion::test::scipy_numbers {
// clang-format off
inline constexpr double inverse_2[4] = {
    0x1.ee0a20ed5bbd2p-3, -0x1.8cd4bc7f5d98fp-4, 0x1.2f8d93454ada6p-4, 0x1.8133f3254245ep-2,
};
inline constexpr double solve_2[4] = {
    0x1.1af0ce9bf6641p-2, 0x1.299f8d5f8632cp-2, -0x1.c7545ce7f047ap-3, -0x1.0737b2df8da36p-3,
};
inline constexpr double det_2[1] = {
    0x1.46c8268ee7230p+3,
};
inline constexpr double slogdet_2[2] = {
    0x1.0000000000000p+0, 0x1.296a4fde89bf3p+1,
};
inline constexpr double cholesky_2[4] = {
    0x1.eb8db4fa4d282p+0, 0x0.0p+0, -0x1.375ce07b84ce0p-1, 0x1.940775f7ca1f0p+0,
};
inline constexpr double eigvalsh_2[2] = {
    -0x1.17b6a8646e617p+0, 0x1.b3d241d788d5ep+0,
};
inline constexpr double lu_2[4] = {
    0x1.aed548f090ceep-1, 0x1.fa8d2a028cf7bp-1, -0x1.cc7b95da1be8dp-1, 0x1.69b6d2d894b50p-2,
};
inline constexpr double pivots_2[2] = {
    0x0.0p+0, 0x1.0000000000000p+0,
};
inline constexpr double expm_2[4] = {
    0x1.c66b772e423f8p+0, 0x1.19b2c98121200p+0, -0x1.aef760e1b6d68p-1, 0x1.f069966a81e60p-3,
};
inline constexpr double expm_large_2[4] = {
    0x1.2de3fd65d23b8p+0, 0x1.81a8ab4201e3cp+1, -0x1.2701c98acc94dp+1, -0x1.8239daebb520ep+1,
};
inline constexpr double power_2[4] = {
    0x1.01f9505e08a01p-7, -0x1.c1a1d5b7937bcp-6, 0x1.57f16201fd002p-6, 0x1.79a1db1cb162fp-5,
};
inline constexpr double inverse_3[9] = {
    0x1.f4962156293cdp-3, -0x1.9d3f5e72308dap-4, -0x1.7de2a38388aedp-6, 0x1.7a7f74d398026p-4, 0x1.69b64a94c4573p-2, -0x1.1139938051a67p-3, -0x1.7ebe3fdd25e99p-5, 0x1.dfdef54fde62fp-5, 0x1.5cd6f9231ba09p-2,
};
inline constexpr double solve_3[6] = {
    0x1.111ecdfec224bp-2, 0x1.35ef86d5a46a3p-2, -0x1.1bdf979eb201dp-2, -0x1.e916fdf2682cdp-5, 0x1.1f0eafe5dc6f3p-3, -0x1.67e737fbe6ca4p-3,
};
inline constexpr double det_3[1] = {
    0x1.dfa007c7434ecp+4,
};
inline constexpr double slogdet_3[2] = {
    -0x1.0000000000000p+0, 0x1.b340d57adb5e8p+1,
};
inline constexpr double cholesky_3[9] = {
    0x1.037d35b6f11f3p+1, 0x0.0p+0, 0x0.0p+0, -0x1.21f163de8aa51p-2, 0x1.e6aaa06d878aep+0, 0x0.0p+0, 0x1.6f949ddeb0c54p-4, -0x1.d804c4f5480abp-3, 0x1.9267e75b5a127p+0,
};
inline constexpr double eigvalsh_3[3] = {
    -0x1.7eb139d2e61d4p+0, -0x1.234f4b225ea0cp-1, 0x1.34586e855aefep+1,
};
inline constexpr double lu_3[9] = {
    0x1.aed548f090ceep-1, 0x1.fa8d2a028cf7bp-1, 0x1.4cf2871cec2e8p-1, 0x1.8fbfbade68a65p-1, -0x1.0f7361853a6bep+0, -0x1.47b74a15a7a65p-1, -0x1.cc7b95da1be8dp-1, -0x1.552030972b47cp-2, 0x1.48d9ddde57e95p+0,
};
inline constexpr double pivots_3[3] = {
    0x0.0p+0, 0x1.0000000000000p+1, 0x1.0000000000000p+1,
};
inline constexpr double expm_3[9] = {
    0x1.237f148a17a1cp+1, 0x1.156f64d402b4fp+0, 0x1.674196a8bbf91p+0, -0x1.2b22be86232aap-1, 0x1.0855720cac8a4p-2, 0x1.68b9ae49bb426p-2, 0x1.0ba24af70e8a5p+0, 0x1.3bac05063fbd2p-3, 0x1.2949b576ecf67p+0,
};
inline constexpr double expm_large_3[9] = {
    0x1.998bc6a846ffep+5, 0x1.75d5edee3421fp+4, 0x1.6ac33d8f025f8p+5, -0x1.d01c30dcbb4bbp+2, -0x1.bc0e6051f54ccp+1, -0x1.a3370f6971a58p+2, 0x1.da74ec38758cfp+4, 0x1.b26b3ae07ce1ep+3, 0x1.a0e1792ab7899p+4,
};
inline constexpr double power_3[9] = {
    0x1.c43f2c1d93c8cp-8, -0x1.ba3074274ce8cp-6, 0x1.c87c94ed066d7p-8, 0x1.e19b298413932p-6, 0x1.ae6d7726a8f80p-6, -0x1.89ba8809d9a41p-5, -0x1.9b3b1f959b91bp-8, 0x1.93af706c149a3p-6, 0x1.03b57cf6759f2p-5,
};
inline constexpr double inverse_4[16] = {
    0x1.f4a3eb69eb8c8p-3, -0x1.ab4d96381def2p-4, -0x1.2f7425db41138p-6, 0x1.5ff2177ba3db4p-7, 0x1.7a6f70d6d9bd6p-4, 0x1.6bc0aeb4751b3p-2, -0x1.16eb1436a1bfdp-3, -0x1.98c3e564190abp-8, -0x1.7fc166c0b99d0p-5, 0x1.31f95a8b3384cp-4, 0x1.45ceebf1570cbp-2, -0x1.9d65445e0f0bfp-5,
    0x1.49ac448596b91p-11, -0x1.50095bf895d0bp-4, 0x1.d4c7fa26562a7p-4, 0x1.06f1e277828fcp-2,
};
inline constexpr double solve_4[8] = {
    0x1.110a1ee11eacep-2, 0x1.407a30aa16735p-2, -0x1.1bd394a1234e1p-2, -0x1.0d0830757d463p-4, 0x1.1fd10d108b35cp-3, -0x1.caf607d0cd473p-3, -0x1.ee8266c86217ap-10, 0x1.f80e09f4e0b92p-3,
};
inline constexpr double det_4[1] = {
    0x1.d2f513846fb59p+6,
};
inline constexpr double slogdet_4[2] = {
    0x1.0000000000000p+0, 0x1.30a2ea25357b1p+2,
};
inline constexpr double cholesky_4[16] = {
    0x1.037dd7ceb2aaap+1, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, -0x1.2326bf5665ad5p-2, 0x1.eb89da85805e5p+0, 0x0.0p+0, 0x0.0p+0, 0x1.661d7a14ab7f3p-4, -0x1.3b0bf746d0bb0p-3, 0x1.aae3427e0cec8p+0, 0x0.0p+0,
    -0x1.9b75b066ea3f6p-4, -0x1.ae508cc4b269dp-2, -0x1.73348b140a5eap-4, 0x1.0e7fcbfeb68d6p+1,
};
inline constexpr double eigvalsh_4[4] = {
    -0x1.e5288f46c662fp+0, -0x1.629c1e1769b33p-1, 0x1.ae1c6caa43bd6p+0, 0x1.5f18d4177ff0ap+1,
};
inline constexpr double lu_4[16] = {
    0x1.aed548f090ceep-1, 0x1.fa8d2a028cf7bp-1, 0x1.4cf2871cec2e8p-1, -0x1.220a29f6eb9f4p-7, -0x1.4b039fcd0665cp-1, 0x1.8d75b3f5f3acbp+0, -0x1.229e2242276ecp-1, 0x1.7a916a614d3c0p-1, -0x1.cc7b95da1be8dp-1, 0x1.d1f4039f6b069p-3, 0x1.a07f4d28d1e3cp+0, 0x1.83faf020a25dcp-4,
    0x1.8fbfbade68a65p-1, -0x1.5dad740a7042dp-1, -0x1.436d5b13f4dc7p-1, 0x1.19ce67d27ed64p+0,
};
inline constexpr double pivots_4[4] = {
    0x0.0p+0, 0x1.8000000000000p+1, 0x1.8000000000000p+1, 0x1.8000000000000p+1,
};
inline constexpr double expm_4[16] = {
    0x1.1044476ea4fbdp+1, 0x1.3041d61f44aa6p+0, 0x1.42598255dedf0p+0, 0x1.104a7d8416376p-1, -0x1.a484f9732b120p-1, 0x1.817694e3d3732p-2, 0x1.3d9fa7c7f49d6p-3, 0x1.d19a840ca116cp-2, 0x1.54bd387482be6p-1, 0x1.5d89d63a70752p-2, 0x1.b130f5e7ee5afp-1, 0x1.7d7306266907fp-1,
    -0x1.0893cc6ce9fd5p+1, 0x1.135f7eef49d05p-1, -0x1.76a8025689469p+0, 0x1.d514bc18fd9a8p+0,
};
inline constexpr double expm_large_4[16] = {
    -0x1.0e43696598d74p+5, 0x1.1c3442b88ac01p+3, -0x1.0ac63a8c773d3p+4, 0x1.b41145c82db8fp+4, -0x1.d81008b24071fp+3, -0x1.c0e0328025dd9p+3, -0x1.af549a325bb72p+3, -0x1.b1aefd2773a77p+3, -0x1.c18a09d5d2c78p+4, -0x1.f04bdedd9cca4p+1, -0x1.1cab52581e84ep+4, 0x1.9fd9103dd1eeep+2,
    -0x1.4826c6a249e66p+5, -0x1.7ac1463452576p+5, -0x1.3fe685ad84a80p+5, -0x1.8dfd11f1ab02ap+5,
};
inline constexpr double power_4[16] = {
    0x1.995071e0dca7cp-8, -0x1.d3ab07c05ee77p-6, 0x1.50c756a9946dep-7, 0x1.462795f6e0f10p-9, 0x1.e1880867b84c3p-6, 0x1.8bd4cb4b4f31dp-6, -0x1.7230bc1c4b556p-5, 0x1.7b3c1eb1ba7fcp-8, -0x1.b553818fd77bfp-9, 0x1.062d6935dd678p-5, 0x1.0a68e923ad502p-6, -0x1.9dbabb0ce918cp-7,
    -0x1.585a1da405b17p-7, -0x1.a142fd5df769cp-7, 0x1.31f6a7d624d7ep-5, 0x1.8364dfec5f7b8p-7,
};
inline constexpr double inverse_7[49] = {
    0x1.f98ad6f373575p-3, -0x1.28ff7b6f61ca5p-3, -0x1.d7edf1fc785c1p-5, -0x1.8f38ab053b1e7p-8, -0x1.7a9bc284d6011p-5, 0x1.ce3da285a06f5p-5, 0x1.4d36ddfeba16ep-4, 0x1.a5e6f7c0a3c42p-4, 0x1.a4e0916e53208p-2, -0x1.2967950265abbp-3, -0x1.0cb3004455f1dp-5, 0x1.a450ed9537e2cp-4,
    0x1.d1dfbf7f34e94p-4, -0x1.dc8e9cbd709c2p-4, -0x1.ff926e537ebfdp-5, 0x1.f2770cfa81c48p-4, 0x1.47d14c543d8b0p-2, -0x1.231726b5a78d6p-4, 0x1.a3fa2511345e1p-4, -0x1.9faf1ea8c0bb5p-4, 0x1.2493456c4f3fdp-4, -0x1.3dfe702e36370p-11, -0x1.187da76b81453p-4, 0x1.d07412725628dp-4,
    0x1.004f8ef10980dp-2, 0x1.c6835251f9f3ap-6, -0x1.4c5f9cc5f5905p-9, -0x1.6baceb0b754a6p-10, -0x1.75733b4613c87p-8, 0x1.02fe306ee5aa4p-3, -0x1.915e6fb73bd37p-5, -0x1.799d4efbe2d8fp-4, 0x1.24ef1e7f2b566p-2, 0x1.308201310e001p-4, 0x1.6ecd80369e8e2p-8, 0x1.b98aed42059f6p-6,
    -0x1.4c67eb0737cc5p-4, -0x1.4242840896803p-4, -0x1.d1f52a8369f34p-6, -0x1.d072db5f2253bp-4, 0x1.1e887dded5996p-2, -0x1.c8e214577ae6fp-9, -0x1.07b4ee2d65d4ap-6, -0x1.6d181f6ef8819p-4, -0x1.d1626dd054684p-5, -0x1.2562859543622p-6, -0x1.ac48f90cb15d7p-4, -0x1.38e45c66ba4cfp-4,
    0x1.2be6cdb5f8aa8p-2,
};
inline constexpr double solve_7[14] = {
    0x1.09afbd92d2fccp-2, 0x1.bd7f392712af8p-2, -0x1.3c6d39d07ad32p-2, -0x1.dd436895f2c35p-3, 0x1.7fadd2be9f0ffp-3, -0x1.75d949bbe1535p-2, 0x1.dcfda84551509p-10, 0x1.a4bc7b2141e7dp-3, 0x1.18166c748ed66p-6, -0x1.847d48a6587f6p-2, -0x1.4b2831f184378p-4, 0x1.f29be08ad3b28p-3,
    0x1.8b8f654418bf1p-5, 0x1.11d217933a615p-2,
};
inline constexpr double det_7[1] = {
    0x1.17cf5e2f81657p+12,
};
inline constexpr double slogdet_7[2] = {
    -0x1.0000000000000p+0, 0x1.0d03aef379048p+3,
};
inline constexpr double cholesky_7[49] = {
    0x1.3f60db48a31dcp+1, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, -0x1.3670fd3c39bfap-2, 0x1.2fcb4349bf6b9p+1, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0,
    0x0.0p+0, 0x0.0p+0, 0x1.c6fab3c3b9c37p-3, -0x1.39d0268ebd110p-3, 0x1.27ba2097ea003p+1, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, -0x1.30741afeb386ep-3, 0x1.50825dae7cbbcp-4, -0x1.85f34e9be4380p-2,
    0x1.2537e47e61781p+1, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x1.d12eb5acc2edbp-5, -0x1.6deb5d8d1337ep-2, 0x1.4563f26490fc4p-4, -0x1.1256f2500b0d1p-5, 0x1.1f9a861edfc37p+1, 0x0.0p+0, 0x0.0p+0, -0x1.1f3bd2003c1dap-2,
    0x1.d1f99af194e00p-6, -0x1.fe72fec74951ep-8, -0x1.b679629851a68p-7, 0x1.895c8a5b0b8a4p-5, 0x1.1796434785f43p+1, 0x0.0p+0, -0x1.77cb88a75b93bp-3, 0x1.5b1a6c343c612p-7, -0x1.190e294550e2ep-6, 0x1.7ece72d5dd32dp-5, -0x1.11c53787a1d43p-3, 0x1.5d153689f025ap+0,
    0x1.ed0624e5ce003p+0,
};
inline constexpr double eigvalsh_7[7] = {
    -0x1.84393a9675841p+1, -0x1.3e27a72eda929p+1, -0x1.5004014115674p-1, 0x1.ece94c3d24858p-1, 0x1.ea51fbfec57bap+0, 0x1.a9f9cabadcadcp+1, 0x1.2459b380e97fap+2,
};
inline constexpr double lu_7[49] = {
    0x1.aed548f090ceep-1, 0x1.fa8d2a028cf7bp-1, 0x1.4cf2871cec2e8p-1, -0x1.220a29f6eb9f4p-7, -0x1.53c7d20a6c9e7p-1, -0x1.fbca7018ce1c4p-1, -0x1.a9de610a75113p-1, -0x1.4b039fcd0665cp-1, 0x1.8d75b3f5f3acbp+0, -0x1.229e2242276ecp-1, 0x1.7a916a614d3c0p-1, -0x1.62021531fcc10p-1,
    -0x1.e45b1ae69d206p-1, 0x1.e39c7b2c122fcp-3, -0x1.cc7b95da1be8dp-1, 0x1.d1f4039f6b069p-3, 0x1.a07f4d28d1e3cp+0, 0x1.83faf020a25dcp-4, -0x1.6e6b89e8dba24p+0, -0x1.516f533a7bd68p-1, 0x1.7a832050bdc54p-3, 0x1.ff4ee89e5d044p-2, -0x1.cd8c677c1af94p-1, -0x1.8df5ec6aa40dbp-1,
    0x1.a57825e3dbbd7p+0, -0x1.efc295c977b44p-1, -0x1.c48bc35e53d7dp+0, 0x1.4f9a5aca5018bp-2, 0x1.6cc6b025c8a42p-3, 0x1.eeefd0516637dp-3, 0x1.127fa08331f21p-1, 0x1.dbcc7a684c334p-2, 0x1.3a10d6a8f9900p+1, 0x1.28164f977729bp+1, 0x1.c12b4387b6da5p-3, 0x1.8fbfbade68a65p-1,
    -0x1.5dad740a7042dp-1, -0x1.436d5b13f4dc7p-1, 0x1.56566ef319a83p-1, -0x1.b31d81344e4bcp-2, 0x1.6e854df471df4p+1, -0x1.5123bb72618f8p-3, -0x1.5e5ab4d6bbc28p-2, 0x1.91ef157ea025dp-2, 0x1.769ead8440464p-1, 0x1.842886ceefd7ap-2, 0x1.f05b50b72c186p-1, -0x1.5ff6daef428cbp-3,
    -0x1.af3b0ff9d00cap-1,
};
inline constexpr double pivots_7[7] = {
    0x0.0p+0, 0x1.8000000000000p+1, 0x1.8000000000000p+1, 0x1.0000000000000p+2, 0x1.8000000000000p+2, 0x1.8000000000000p+2, 0x1.8000000000000p+2,
};
inline constexpr double expm_7[49] = {
    0x1.094e8c96ed3a4p+1, 0x1.1dfbc277e915ep+0, 0x1.a825748e75028p+0, -0x1.f3049a091c214p+0, -0x1.9b65078b676d6p+1, -0x1.5d05b572f5910p-2, -0x1.688546b6299a6p+0, -0x1.44db71ed62309p+0, 0x1.1cf54179336b7p+0, 0x1.06bb628a551cap+0, 0x1.ee6a726fa9897p+0, -0x1.6acc15bddbb9ap-4,
    0x1.de567160dd8f0p+0, 0x1.a52d5a0f48802p+0, 0x1.a9faa91520d2cp-3, 0x1.9da8ab6edd8d8p-2, 0x1.2ddb3c69a3f2ap+0, 0x1.d2da7e7bfe038p-3, -0x1.4fde30856815ep+0, 0x1.381905f14df54p+0, -0x1.a1518df91e0e8p-1, -0x1.0509489e45695p+1, 0x1.3bdb65d90a7acp+0, -0x1.90b3e1faa20cdp-1,
    0x1.cc04bf44d2993p+1, 0x1.f821a1572212cp-1, 0x1.d668e9e3a4eb7p-2, 0x1.a41a2edc0203bp+1, 0x1.99a2a6947051fp-1, -0x1.56c522b7e341ep-1, -0x1.82c532fe2ba53p+0, -0x1.467e59d0cdc6ep-1, 0x1.db39fdd4e4432p-1, -0x1.545564593b10dp+1, -0x1.2d857922d55fap-1, -0x1.03d9e1211c629p+0,
    0x1.077606c7bf3a4p-1, -0x1.5afcdf26362b6p-3, 0x1.738877c0294c0p+1, 0x1.53bec958f612cp+0, 0x1.86586b50bab94p+0, 0x1.1021bcbc209fbp+0, -0x1.1f32dea42842ap-1, 0x1.30ec378eb553dp+0, 0x1.b5c5d7dac859cp-2, 0x1.b779b7aca2c14p+1, 0x1.f7f21eb5c922fp-1, 0x1.cd49a13dd5bc1p-1,
    0x1.3e9f4918e81f3p+1,
};
inline constexpr double expm_large_7[49] = {
    0x1.46286ad6e2df2p+6, -0x1.3069eaa3166a9p+4, 0x1.7dbd776602658p+7, -0x1.a8baf4ece8ce0p+7, -0x1.c587cfbed07b7p+7, 0x1.c7e1eb561dc2cp+7, -0x1.2336e9ffa114cp+8, -0x1.4847481c547a5p+9, 0x1.1d467560099bdp+8, -0x1.7bd14b545605ap+8, 0x1.6487d71c1b07cp+10, 0x1.845653fc9971ap+9,
    0x1.1479003139f89p+6, 0x1.239142c9b3490p+10, -0x1.58cc102efe7d3p+7, 0x1.23801399c1ec3p+6, -0x1.0ed9f80428642p+6, 0x1.68b9a217ac189p+8, 0x1.5de13704b78a7p+7, 0x1.38b4fddeee5f1p+6, 0x1.03d6b8bcf0b62p+8, -0x1.990a185363f1fp+9, 0x1.67f890cbb6f41p+8, -0x1.0065e3ef5e0bdp+9,
    0x1.c22e45925973fp+10, 0x1.f69894504ac52p+9, 0x1.8b5569659cf10p+3, 0x1.7a463682ed6c7p+10, 0x1.e2fd7756ea84ep+8, -0x1.9ae65621bd546p+7, 0x1.0b807caf57333p+8, -0x1.032b69b052323p+10, -0x1.174ad3560d84bp+9, -0x1.3247e4c3cc9c9p+6, -0x1.9fe922f7694b1p+9, -0x1.fd68b4e86e223p+8,
    0x1.b48b6c9cab6cep+7, -0x1.4ff61dbb040bdp+8, 0x1.18866da7108c5p+10, 0x1.418c21c90dfaep+9, -0x1.011c749d8dbaap+4, 0x1.dc7144fdea5d6p+9, -0x1.7502fc9832034p+9, 0x1.52b4d3bcf9e65p+8, -0x1.96c5420e7f960p+8, 0x1.981e3117c163fp+10, 0x1.b0ae30321ba24p+9, 0x1.a0dbed0645991p+6,
    0x1.4d2a58c1aeb97p+10,
};
inline constexpr double power_7[49] = {
    0x1.e0126229ebbc2p-11, -0x1.29b0546ffcfe6p-4, 0x1.0ce3f3288a81ap-7, 0x1.69a256210540fp-7, -0x1.4cac7e83d8ef7p-5, -0x1.ec18f38b896c0p-7, 0x1.0c0331035616fp-5, 0x1.8669d32d9d08cp-5, 0x1.57b255f225074p-5, -0x1.35ee21a8a0612p-4, -0x1.21665a8429847p-7, 0x1.1b979e6736988p-7,
    0x1.3b74addacad6ap-4, -0x1.6cf8bdcbcdd98p-5, -0x1.bbfdbeae7584ap-10, 0x1.3c6fe77a37f31p-4, 0x1.39ac4872e5e34p-9, -0x1.d7534c6a3aa47p-6, 0x1.757bf1b479b22p-5, -0x1.6e5ab3d2a6572p-8, -0x1.10e5b150f1b63p-9, -0x1.874caf2c8295ep-7, -0x1.5bac926fb26bcp-10, 0x1.17edae015bc5dp-5,
    0x1.fe646e7d0ed44p-8, 0x1.acf6ff223ba07p-7, -0x1.0d5e1063ff4a0p-6, 0x1.85a28732d85c0p-7, 0x1.2282a43d003e9p-6, 0x1.164bab82b16aep-5, -0x1.8274d05955f66p-5, -0x1.47df0dba087a1p-6, 0x1.154a5329fe22ap-6, 0x1.4fd716b23224ap-5, -0x1.1aed829011b03p-6, -0x1.247eef4527e39p-10,
    -0x1.cb530cb4b2580p-5, -0x1.2bb66b184df96p-10, 0x1.774f65f334f97p-7, -0x1.6a32051b1cb5ep-5, 0x1.0c935382cc889p-7, 0x1.0eb72c67d0397p-7, -0x1.b3b4284a7c76dp-7, -0x1.55b98a5acdf22p-5, 0x1.742a06fd5c6bcp-7, 0x1.81521758d2f3bp-7, -0x1.e87265cefc133p-6, -0x1.2509b7e6ecb80p-5,
    0x1.0bcbac969db53p-5,
};
inline constexpr double inverse_12[144] = {
    0x1.09e6e2e0922c2p-2, -0x1.e4a041c263aa4p-4, -0x1.24698dc1b57b0p-4, -0x1.9b906836f8bd8p-10, -0x1.e95ebf8085ac4p-5, 0x1.cca5002eec06ep-5, 0x1.5763f58510a37p-4, 0x1.45ffddf3b7cb6p-5, -0x1.6779543339801p-5, -0x1.50a8c603f3dd7p-7, -0x1.0228453b40e95p-7, -0x1.18df20576425ep-5,
    0x1.844dd4c7ce269p-4, 0x1.93c7ef17344f5p-2, -0x1.b25a42d60dfb6p-4, -0x1.90dad2b46523ep-5, 0x1.e59ddee619167p-5, 0x1.ee54717894644p-4, -0x1.a907f14261a3bp-4, 0x1.0930db36b2f75p-4, 0x1.0ba42ed5c4dbcp-4, -0x1.46280476477bap-5, -0x1.2fc737967e259p-4, -0x1.c26cdf07384dcp-7,
    -0x1.b9928a0c7065cp-4, 0x1.9ca64275e6d47p-7, 0x1.7f0d9170a4047p-2, -0x1.4dfc004ff28a4p-5, 0x1.bb5abae879b81p-4, -0x1.0059f92a338f7p-3, 0x1.5c831990fe83cp-4, -0x1.2ab4a0359d860p-3, 0x1.92d8cd45c81d3p-5, 0x1.b4ed30004a46cp-10, -0x1.a3a5cb1eed9c1p-5, 0x1.6068961158db9p-4,
    0x1.a152c36ce76d8p-9, -0x1.1ce201ee68836p-5, 0x1.aad68c903ca18p-4, 0x1.000609a0fe36bp-2, 0x1.5134cf0858043p-5, -0x1.dc5449018951cp-6, 0x1.b37efc94826e8p-7, 0x1.3b204e9c80fd4p-8, -0x1.961ec2e1c604fp-5, 0x1.bdcf7cf376967p-5, 0x1.2e32b8c2c59c2p-9, -0x1.25e9d4b594e90p-5,
    -0x1.b482b59b2136fp-8, 0x1.36ccc1273d52ap-3, 0x1.d42fdef0464d8p-9, -0x1.b220606b1fe7cp-4, 0x1.602eae0a7274fp-2, 0x1.374345f42078ep-5, -0x1.8091d80484d94p-6, -0x1.42aeb40742dabp-4, 0x1.5ef14265a850cp-4, 0x1.9615bc51b0bcap-5, 0x1.0cac2d59f8b41p-5, -0x1.2f1fa726d4c7cp-4,
    0x1.c1676b87544c6p-5, -0x1.3490853c89f75p-6, -0x1.2cc39b4e49fccp-3, -0x1.84d48003a7759p-4, -0x1.6be3437cf671bp-4, 0x1.674a83218d86bp-2, -0x1.14bf709f2ffcep-5, 0x1.e42cde9203d3cp-4, 0x1.18ae6c838bdefp-4, 0x1.64ded520e1a79p-8, 0x1.049d383f77b0ep-3, 0x1.68ef51eec555cp-5,
    -0x1.925f27afe596fp-9, -0x1.61355a34fa694p-4, -0x1.37d448ce6ecd0p-3, -0x1.5efd5e43a8cadp-5, -0x1.7d011079d3dfdp-4, -0x1.1ef4f54ddfc4ap-9, 0x1.1e5c2a25ce2b1p-2, 0x1.bb2bdb0d462cdp-5, -0x1.ea8fa08aaec3cp-7, -0x1.644c3afd8791fp-7, 0x1.d8f561bb99f9ap-4, 0x1.06cd7a5efb5c3p-3,
    0x1.968852354bcf2p-5, 0x1.aa12e81157036p-4, -0x1.3f847519e74c9p-3, -0x1.7146ac37b30ebp-4, -0x1.d494f13085759p-5, 0x1.0146f83591d3ep-3, 0x1.eff5fa5e9727bp-7, 0x1.61219847d4ab4p-2, -0x1.346ccafb1571cp-5, -0x1.d49fd41776f5cp-6, 0x1.8a4e1f015da25p-4, 0x1.5616282b30b13p-4,
    0x1.307511886be0fp-6, 0x1.d4def800fb928p-5, 0x1.4b5499158d9d2p-4, -0x1.ad605b1ae9166p-4, 0x1.7c00b228a3261p-5, 0x1.8125a2f723120p-5, -0x1.58230f28e7cb9p-4, 0x1.286c7e8b61845p-4, 0x1.59ac629d4fe18p-2, -0x1.26ee955d9ffd5p-5, 0x1.4906261c4aa80p-4, -0x1.553a2f5b7a83cp-4,
    -0x1.39cfc4424d168p-5, 0x1.3fe35ba3dead2p-5, 0x1.f900b64416ff7p-5, -0x1.f124292cc9b04p-5, 0x1.d0b6cf953394cp-4, -0x1.8e4df9ea853c1p-4, 0x1.142233d4b2e92p-5, -0x1.a8284083d04d1p-4, 0x1.bc7a138a48367p-4, 0x1.05cd99c12bd79p-2, 0x1.319f311100a1fp-5, -0x1.1adc07f9fea61p-5,
    0x1.8bccf44d6c368p-4, 0x1.0ac33aa5d40ecp-3, -0x1.8adca61ece147p-3, -0x1.bf5e0fd93ff39p-5, 0x1.e7d0dafdd9f99p-5, 0x1.5b25cd80750fdp-3, -0x1.0231c347b010dp-3, 0x1.26c0c956cd900p-3, -0x1.d15eafa126bd2p-9, -0x1.b70d6db59153bp-4, 0x1.57d5a95f85c32p-2, 0x1.f77bd6791a51cp-5,
    -0x1.962185fb0b2ecp-5, -0x1.6bb3ee631eaeep-3, -0x1.49674224ee830p-3, 0x1.9aa51b91422b3p-6, -0x1.04791d56bc2d8p-4, 0x1.ccc5f0336690ep-4, 0x1.323af6515ed4fp-4, 0x1.4d1d4392784c5p-7, -0x1.15bb3248ff305p-3, -0x1.1805b52b39005p-5, 0x1.17a08a0852785p-5, 0x1.ba24830a029aap-2,
};
inline constexpr double solve_12[24] = {
    0x1.c496aebc92f6dp-3, 0x1.6b783151cabfcp-2, -0x1.233a5f95da9d0p-2, -0x1.76af9a8b39dcbp-3, 0x1.4b2de789544c7p-2, -0x1.357cb1d86d1fbp-5, -0x1.38fe1291ad926p-7, 0x1.ab5302e59cc52p-4, 0x1.4762083458e90p-6, -0x1.d23321badbfc2p-2, -0x1.510d90a57f396p-3, 0x1.ced8c7dacef31p-5,
    0x1.2dc75dc3ec31cp-7, 0x1.08e803a7bbcf1p-2, -0x1.30e63da7f8db5p-3, -0x1.3f8e2e0d01427p-2, -0x1.c8af9a4ca1d18p-5, -0x1.5fa73a00bcae1p-3, 0x1.d6b7a66373a1cp-4, -0x1.dfd50975ce03bp-4, -0x1.28d9b73a1128fp-2, -0x1.9024d7f8be162p-2, 0x1.3099247c48632p-3, 0x1.10c6f2ca57034p-1,
};
inline constexpr double det_12[1] = {
    0x1.2a94ebac30d1ep+20,
};
inline constexpr double slogdet_12[2] = {
    0x1.0000000000000p+0, 0x1.c089b4c733699p+3,
};
inline constexpr double cholesky_12[144] = {
    0x1.752e04e6acb39p+1, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0,
    -0x1.601360782fd0bp-4, 0x1.6be56a8d5478cp+1, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0,
    0x1.f28542886bd6bp-5, 0x1.b1d8b7fe62692p-3, 0x1.4e931ba7901eap+1, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0,
    0x1.8ac95fbd96535p-6, -0x1.72c18208e0912p-2, -0x1.e477436de0a97p-1, 0x1.4d37d0cfa6aaep+1, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0,
    -0x1.e9529f30f746cp-3, -0x1.16c5bec4e4da2p+0, 0x1.ad3a66d1356a0p-5, 0x1.b28430e696e75p-8, 0x1.4c2411b891bf2p+1, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0,
    -0x1.eb2e58b54f0c8p-1, 0x1.9f3415ced9ef2p-5, -0x1.813eea47a897cp-5, 0x1.9093a234ab030p-6, 0x1.eb5d232da30bbp-10, 0x1.4b7b1dce21ed7p+1, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0,
    -0x1.ec67f9b8fc95cp-1, 0x1.21d16362751f4p-7, 0x1.66f7a5c838d10p-3, -0x1.f10ef5178c5d8p-5, -0x1.91b5ce4e984e5p-3, 0x1.b5f95d9a05c00p+0, 0x1.0dcfca82c3585p+1, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0,
    -0x1.8312d3785a64cp-2, -0x1.df5019384cb37p-1, 0x1.d493e88b9fad9p-5, -0x1.5ba0ff4ce6ef2p-4, 0x1.6d7b6846dddcap+0, 0x1.c38592ebc2de2p-5, 0x1.344bc791808fep-3, 0x1.0ca2b4dd6d42fp+1, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0,
    0x1.1c493a1f110e4p-4, -0x1.cb7f0234880d4p-2, -0x1.1a89d845c3d08p+0, 0x1.7e355e60beba4p+0, 0x1.2146fe9f1de56p-3, -0x1.30ebc24f6cadep-7, -0x1.e537a6b6baef1p-8, 0x1.951466825bcbep-5, 0x1.0de507c6b4d73p+1, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0,
    0x1.6e3eb39bda0e8p-5, -0x1.94eda13480437p-5, 0x1.7d47abb9febb9p+0, -0x1.4e26125dc060ep-2, 0x1.a8f1794b4cd8ep-5, 0x1.175012e9912f9p-6, -0x1.0b8a442187560p-3, 0x1.75dfc00b3a8c4p-8, 0x1.d13b23c9def58p-2, 0x1.1b40ab2a8c6cfp+1, 0x0.0p+0, 0x0.0p+0,
    -0x1.703e8d1f35590p-3, 0x1.db9dd03a32528p+0, 0x1.474f974063627p-4, -0x1.4061001093ab4p-4, -0x1.bf271010c6d80p-2, -0x1.2facda98c8fbap-12, 0x1.e7f65ad94759bp-4, 0x1.24868d08dae07p-2, 0x1.36c61fc40113fp-2, 0x1.1f7515304e2b9p-6, 0x1.01abe4b44631dp+1, 0x0.0p+0,
    0x1.c70249dd4b8f2p+0, 0x1.0686b1e386144p-3, 0x1.f629662db9cecp-4, -0x1.f37bbdca2a4b6p-5, -0x1.358d15626eff0p-3, -0x1.346353ba69b80p-2, 0x1.7b609156b453cp-2, 0x1.95af9814fcfd1p-2, -0x1.5d3b776b2deabp-4, -0x1.2c3809730d061p-4, 0x1.2139f646ea331p-3, 0x1.0418096060d19p+1,
};
inline constexpr double eigvalsh_12[12] = {
    -0x1.0a67510f1bedap+2, -0x1.e02916ff002e5p+1, -0x1.51c01c5961cb3p+1, -0x1.fe72a848449e1p+0, -0x1.e31b10ba9556fp-2, -0x1.6471e1219a099p-6, 0x1.10951616d10acp-2, 0x1.70ecb72e40242p+0, 0x1.dbf3772662bc1p+0, 0x1.0f6f21621c346p+2, 0x1.83458b28a563cp+2, 0x1.900c9e217df61p+2,
};
inline constexpr double lu_12[144] = {
    0x1.aed548f090ceep-1, 0x1.fa8d2a028cf7bp-1, 0x1.4cf2871cec2e8p-1, -0x1.220a29f6eb9f4p-7, -0x1.53c7d20a6c9e7p-1, -0x1.fbca7018ce1c4p-1, -0x1.a9de610a75113p-1, -0x1.0cabfe5fcdfc8p-2, 0x1.bea1f93dd43a0p-2, 0x1.d70da7230c1d8p-1, 0x1.e6f0a2b0df504p-1, 0x1.07282f26a14cdp-1,
    -0x1.4b039fcd0665cp-1, 0x1.8d75b3f5f3acbp+0, -0x1.229e2242276ecp-1, 0x1.7a916a614d3c0p-1, -0x1.62021531fcc10p-1, -0x1.e45b1ae69d206p-1, 0x1.e39c7b2c122fcp-3, -0x1.29dc4294729fcp+0, 0x1.2d0d2f1f8afcap+0, 0x1.6a426d71e37e0p-4, 0x1.242909a217639p-1, 0x1.d36835d9dffd6p-1,
    -0x1.cc7b95da1be8dp-1, 0x1.d1f4039f6b069p-3, 0x1.a07f4d28d1e3cp+0, 0x1.83faf020a25dcp-4, -0x1.6e6b89e8dba24p+0, -0x1.516f533a7bd68p-1, 0x1.7a832050bdc54p-3, -0x1.1ab127778921cp-2, -0x1.8be17ce0c377ap-1, 0x1.5f99b217a8f5ep+0, 0x1.756ee9c1bf452p+0, -0x1.0cc047a985a79p-1,
    0x1.ff4ee89e5d044p-2, -0x1.cd8c677c1af94p-1, -0x1.8df5ec6aa40dbp-1, 0x1.a57825e3dbbd7p+0, -0x1.efc295c977b44p-1, -0x1.c48bc35e53d7dp+0, 0x1.4f9a5aca5018bp-2, -0x1.e851842aa3da0p-3, 0x1.62ff6a5039d66p-1, -0x1.9df6f362a8468p-3, 0x1.6d463a6d7ed4fp-1, 0x1.0b5357761b8afp+0,
    0x1.6cc6b025c8a42p-3, 0x1.eeefd0516637dp-3, 0x1.127fa08331f21p-1, 0x1.dbcc7a684c334p-2, 0x1.3a10d6a8f9900p+1, 0x1.28164f977729bp+1, 0x1.c12b4387b6da5p-3, 0x1.15bed2acde563p-1, -0x1.7575e8694b930p-1, -0x1.9e3baa23add06p+0, -0x1.329fdac2f3814p+1, -0x1.7e9136584d330p+0,
    0x1.8fbfbade68a65p-1, -0x1.5dad740a7042dp-1, -0x1.436d5b13f4dc7p-1, 0x1.56566ef319a83p-1, -0x1.b31d81344e4bcp-2, 0x1.6e854df471df4p+1, -0x1.5123bb72618f8p-3, 0x1.993c319473404p-2, -0x1.3e53bb86cbc96p+0, -0x1.3ab55871829b6p-2, -0x1.17e40e9bcf7e0p-1, -0x1.15ba0e25bdefdp+1,
    -0x1.58ae880a83f3dp-7, -0x1.43a196087b35ep-1, -0x1.82a71a14df689p-2, 0x1.ba8e37fe01a19p-1, 0x1.31ddfdd72163cp-3, -0x1.44d9f4d9f8b8fp-3, -0x1.b7ce5c344c730p-1, -0x1.2c84d1c29bdf8p-4, 0x1.4efd28e7d4b7ap-1, 0x1.3a193bd84beb0p-1, -0x1.9c39c9d3ce01ap-2, -0x1.231cfdd0edd61p-1,
    -0x1.ebae1be0fee90p-2, -0x1.82c511c030a39p-3, 0x1.44bb3994c1bddp-1, 0x1.e352b765f1e5dp-3, -0x1.04837ce54d05bp-3, 0x1.fcaf8d6cc55b6p-3, -0x1.cf01e57a4c99cp-2, -0x1.c90ae201574e8p-1, 0x1.96da87308ae8ap-1, 0x1.84e36b37b7c76p-1, -0x1.e24b091dc95cep-1, -0x1.61646c5f681fcp-2,
    -0x1.5e5ab4d6bbc28p-2, 0x1.91ef157ea025dp-2, 0x1.769ead8440464p-1, 0x1.842886ceefd7ap-2, 0x1.f05b50b72c186p-1, -0x1.5ff6daef428c8p-3, 0x1.f604586dd582dp-1, 0x1.0a86e2b8def5ep-2, -0x1.411d732317550p+0, -0x1.dac4e5a571090p-1, 0x1.aed8338fff9d8p-1, 0x1.30cb4936d8fd8p+0,
    0x1.49ab749534a90p-2, -0x1.8ccdea8e71801p-3, -0x1.88d6118dc64b9p-2, 0x1.d195349f5f41cp-2, -0x1.5178ecad434a3p-2, 0x1.a8db3c3ca1208p-1, 0x1.48a5aa1e3c3cbp-1, -0x1.a62926f6d15fep-1, 0x1.35db206f9a55dp-2, 0x1.4881e3949dcb4p+0, -0x1.8b708c61af8d1p+0, 0x1.2183f63b5d938p-1,
    0x1.41ecbc541a9fdp-1, 0x1.e0e3a4ee503c6p-3, 0x1.39a0f7c169fc9p-2, -0x1.9233f904b0ef2p-4, 0x1.46d3fbdab3587p-4, -0x1.b619dfa7ec575p-4, 0x1.aca5be7d964adp-3, -0x1.a4be43053e091p-1, -0x1.b61fc48445022p-1, -0x1.e17e344b68957p-3, -0x1.e43785caaddabp-1, 0x1.1f30b288d236cp-3,
    -0x1.421f40a8cb92ap-3, 0x1.29093cfd1c339p-1, -0x1.659c12ae78aa0p-2, 0x1.d47fdb01dd85bp-3, -0x1.073b98ab18e5ap-4, 0x1.2b790e9617d61p-4, -0x1.9d3f35a6fdbfep-1, 0x1.c1729662bdaddp-2, 0x1.1eb279e968b1ep-2, 0x1.d63e9062df38bp-1, -0x1.1a36d4b27ea5bp-1, -0x1.c96c6bc321f46p-1,
};
inline constexpr double pivots_12[12] = {
    0x0.0p+0, 0x1.8000000000000p+1, 0x1.8000000000000p+1, 0x1.0000000000000p+2, 0x1.8000000000000p+2, 0x1.8000000000000p+2, 0x1.c000000000000p+2, 0x1.4000000000000p+3, 0x1.4000000000000p+3, 0x1.2000000000000p+3, 0x1.6000000000000p+3, 0x1.6000000000000p+3,
};
inline constexpr double expm_12[144] = {
    0x1.7062fd7a86254p+0, 0x1.979f7309d4e18p-4, 0x1.567e016777988p+1, -0x1.a4cbb06500ae1p-1, -0x1.362b385a14defp+2, 0x1.df7eb34016f62p+1, -0x1.4db204850cbb2p+1, 0x1.399161d1a5841p-2, -0x1.0f1f825f174aep+2, 0x1.383605f392777p+2, 0x1.51fea21da4d18p+1, -0x1.4a02e06c23e7bp+1,
    -0x1.2acaab7ed53a0p+0, -0x1.e57ce55147ce3p-1, 0x1.2fcbd02b89eb1p+0, 0x1.01141f256c740p+0, 0x1.1749731933f08p+1, 0x1.4c3aa8a1aa834p+1, 0x1.c691e549b8a06p-1, -0x1.e7bb94aa5b404p-4, -0x1.26e1c25e3c9a4p+1, -0x1.c11001e3e9b0cp+1, -0x1.d541aa772b3d4p-2, -0x1.12e8cc690dfb3p+1,
    0x1.2fd93823fd2a9p-3, -0x1.0ccf10b8c3032p-1, 0x1.051e71419b03dp+0, 0x1.f33b5ffe794cep-3, -0x1.7e8c7c01e9276p-1, 0x1.85a1e78707a69p+0, -0x1.22409dfe74fe6p+0, 0x1.3a2fca08a9e6ep-4, -0x1.eb000b58bcc00p-1, -0x1.b1b08c3d4bf14p-5, 0x1.23cf5ef136988p-1, -0x1.945d69528a7a3p-1,
    -0x1.2b56d3ebba6fep+1, 0x1.07d2c8b16c413p+1, 0x1.1ee064f5f0295p-1, 0x1.7398ca440f801p+1, 0x1.91108997c398ep+0, 0x1.dfe5e0a3861e3p+0, 0x1.44a4d7ad5157ep+2, -0x1.98bd8afd8fac8p+1, -0x1.2b8d0c6368702p+0, -0x1.ad6d65caa5863p+1, -0x1.58e8637ed5b64p-1, -0x1.ace33367c1123p+0,
    0x1.70eedfe91145bp-1, 0x1.d579cc907a3fep+0, -0x1.f02db2e202055p+0, 0x1.5847b9fed2ebdp-2, -0x1.66dd1c4ba4485p+0, -0x1.11904a0b0c7b8p+2, 0x1.6f7aacd937a03p-1, -0x1.c1536922015bfp-3, 0x1.dd3688d66a7bbp+1, 0x1.7441b88755df4p+1, 0x1.4988d6e155b42p-3, 0x1.6a24f4cdcaff8p+1,
    -0x1.2aadf1dfecad9p-1, 0x1.3dc2c8ec0353cp-2, 0x1.5288acc5b1a86p-2, 0x1.886661c388a97p+0, 0x1.5227fa654d328p+1, 0x1.ec11b1140b87ep-2, 0x1.ac65f9954ef8fp+0, -0x1.660995dc9a023p+0, 0x1.94637d9fa0939p-2, -0x1.f27cd17799e94p+1, -0x1.131172ee3ed4fp-1, -0x1.9e3051104d4e7p-6,
    -0x1.3574b446b691ap-2, 0x1.0a6655892835cp+0, 0x1.38cf5bc3c3efep-4, 0x1.2f6b5ee147334p+1, 0x1.810fbdf94490dp+1, -0x1.9316dce4a5316p-1, 0x1.c64ca3a61b39ap+1, -0x1.63c8561311c8fp+0, 0x1.2c779f23d16f4p+0, -0x1.0f7b91c932654p+2, -0x1.166abf6314b0dp+0, -0x1.28fe7e99e7211p-3,
    0x1.c9cc23875ff22p-4, 0x1.cdc57f48b13b4p+0, -0x1.64881972fc3aap+1, 0x1.b086e10389120p-2, -0x1.50e808cfe7861p+0, -0x1.2219ac3ff5957p+2, 0x1.6fa003d63558cp-1, 0x1.2409b3e92d192p-1, 0x1.2225b7ba242adp+2, 0x1.31cfa38de0ce6p+1, -0x1.e0605f10b9205p-1, 0x1.8fa9d8e98f26cp+1,
    -0x1.38fbee3920866p+0, 0x1.2c1702e2c364dp+1, 0x1.70687e9f8d31dp-2, 0x1.83bbf8c568279p+0, -0x1.966afe55fb4f9p-5, 0x1.12ec955b8db56p+0, 0x1.af866372cb5fep+1, -0x1.08fd558d2c9e6p+1, -0x1.74d9d58b2f1aap-3, -0x1.1884eea0b17acp-1, -0x1.609f41ac841bap-1, -0x1.62ce5c38668c8p-1,
    -0x1.f51bddacf86e7p-6, -0x1.08dbb46be3d30p-3, -0x1.42b7d732ad2dep-1, 0x1.1117b247f6a8bp-4, -0x1.84e9cfb5cd062p+0, 0x1.4654a1faddeffp-1, -0x1.32dc9c65a7b1cp+1, 0x1.62c74ce4cbdcep+0, -0x1.448f9a924fa02p-1, 0x1.5a0b661c6ecf6p+1, -0x1.59011f027a5e2p-3, 0x1.419383d1d540cp-1,
    -0x1.433f91f592b5dp-1, -0x1.413a1c7d49390p+0, 0x1.1255395d16868p+0, 0x1.b7518fa2e65d4p-1, 0x1.7c4bebfe29429p+0, 0x1.5a5d7981ad777p+1, 0x1.eeba1231e336fp-2, -0x1.1bc0ad8d5f95dp-1, -0x1.0ea6d2e1d6c89p+1, -0x1.270cb4cb288aep+1, 0x1.c7e18062481dap-3, -0x1.ce7c21c32804ep+0,
    -0x1.90b361db6d75ap-4, 0x1.d7f7a0858e589p-2, 0x1.5416d6f63d312p+0, -0x1.6c8fce0fce1b8p-3, -0x1.8eb034796d45ap+1, 0x1.16e73a1e6e47bp+1, -0x1.43a77b37f45abp+0, 0x1.a24d7a7c7e359p-2, -0x1.0c839985e4ea0p+1, 0x1.8d8d10e3b8a5dp+1, 0x1.f0cc7b4dcf1dcp-1, -0x1.f89ac9f7f11eep-1,
};
inline constexpr double expm_large_12[144] = {
    0x1.772c389165b56p+8, -0x1.1e92c769f9344p+7, 0x1.43b095d39f04ap+5, -0x1.03649185e7617p+10, -0x1.297afcdf24577p+11, 0x1.1d569982062dfp+9, -0x1.f1d706a22afd4p+10, 0x1.fa0391f28c6e5p+9, -0x1.82fb179981776p+9, 0x1.97521b98fc4e2p+11, 0x1.1327e0b62a999p+9, 0x1.3d99a62f7b5a8p+5,
    -0x1.8b64e30c9069dp+8, 0x1.ce306830a8808p+6, 0x1.a89b8fdfadbcap+8, 0x1.6d7ed00698874p+9, 0x1.1701859783914p+10, 0x1.4040f7091c559p+9, 0x1.2fc82c07b53e8p+10, -0x1.2ae4cd4497d56p+9, -0x1.dd838128b43bap+8, -0x1.b10caa276d6e8p+10, -0x1.1912fdce55a1cp+8, -0x1.5635d83fde7fap+9,
    0x1.30a349dcf3b77p+5, -0x1.527db6e739fe7p-2, 0x1.4051cd4cb7fd0p+5, -0x1.841216bb78ca0p+6, -0x1.070919a7e22a8p+8, 0x1.9c390c36bf0fap+6, -0x1.5cd0eacb5850ep+7, 0x1.4a342c1fc79f0p+6, -0x1.efbce482ef6fap+6, 0x1.55aabf0499248p+8, 0x1.1b624ba2f04c1p+6, -0x1.2f24daedcfe31p+5,
    -0x1.9bc5fef666883p+9, 0x1.7ef14c7404303p+10, 0x1.35325dd07a9fap+9, 0x1.f35f3500aec26p+10, 0x1.33efb335053efp+11, -0x1.9dc7f86677ae6p+7, 0x1.28eb85d690652p+12, -0x1.2fb56675af591p+11, 0x1.a9f230e2be3cfp+8, -0x1.e5a60f8e10dbap+11, -0x1.2e6f8a81eea0fp+9, -0x1.dc89682cd36f1p+9,
    0x1.7ee2b2c339cc7p+7, 0x1.6c7d0cd26a407p+8, -0x1.b5005e363018cp+8, -0x1.9ea9b232ff40ap+6, -0x1.7aca8471d3862p+6, -0x1.25974a04377fbp+10, 0x1.6c487aef5febcp+8, -0x1.acea28e67e42cp+7, 0x1.0b9bea95c4888p+10, 0x1.0b9c3fd18a7fep+8, 0x1.336d7dcdbf078p+5, 0x1.54d46fa0edf70p+9,
    -0x1.54c939766decdp+8, 0x1.01b74296ea813p+9, 0x1.6323a5d44d15ep+7, 0x1.de907ce763664p+9, 0x1.8f2b570db0709p+10, -0x1.49f8e1c89b4f6p+8, 0x1.0eb9156bb7f8ap+11, -0x1.1b0980c3f5312p+10, 0x1.cd3df67736214p+8, -0x1.25520eedca8dep+11, -0x1.5465fbdc1f9e4p+8, -0x1.16dd819f2c56ep+8,
    -0x1.e9b35d5e79836p+8, 0x1.9a92d8b7cc4cap+9, 0x1.78a1f07d25014p+7, 0x1.5f315c424ed93p+10, 0x1.25aca05f9eebcp+11, -0x1.49098b500dc29p+9, 0x1.9767598289d0bp+11, -0x1.a899c22bbe757p+10, 0x1.a3108c76bbb9bp+9, -0x1.ac8fc1d5aa594p+11, -0x1.0029a99454163p+9, -0x1.34e1dd3492565p+8,
    0x1.7bc7cb3e56254p+6, 0x1.615379aec316cp+8, -0x1.a2c2b4877798dp+8, 0x1.20ba250cda76bp+6, 0x1.1be7cc82e98f7p+8, -0x1.1d8418cee885ep+10, 0x1.381c87f5d5f56p+9, -0x1.45162a7a9767ep+8, 0x1.0e72dd821fbc8p+10, -0x1.fa6441b60f661p+7, -0x1.3382dc7108778p+6, 0x1.3462621e4a845p+9,
    -0x1.cf01329972dbep+8, 0x1.0f46a5cef93a3p+10, 0x1.42faf6a81d560p+8, 0x1.2410d055602e5p+10, 0x1.4240ef2fcd927p+10, -0x1.314e9a9237469p+8, 0x1.73dd212907e09p+11, -0x1.7d2ebbcb21596p+10, 0x1.91a1a07c80d21p+8, -0x1.0395ad253b1ecp+11, -0x1.442fcd90dbb2ap+8, -0x1.e64e5f693a2e8p+8,
    0x1.7fc05a6e837e7p+7, -0x1.267984984c267p+8, -0x1.2ddae80e9d9b3p+7, -0x1.0e882d887a82cp+9, -0x1.aaac322f5a756p+9, 0x1.9a36b391d8710p+6, -0x1.3193a2d5775a3p+10, 0x1.45ad80523c0bfp+9, -0x1.63101c09c7747p+7, 0x1.41ca342699224p+10, 0x1.4969eed2a2d8dp+7, 0x1.b75990758169dp+7,
    -0x1.091b2467df0cfp+8, 0x1.8c4774ac980b1p+6, 0x1.40fc853e7d5fcp+8, 0x1.f605e46da4584p+8, 0x1.6d262fdf77540p+9, 0x1.d1bd95fae1d12p+8, 0x1.ae3c3a44b152cp+9, -0x1.b21b342a30ee4p+8, -0x1.64ebbf1f7fc94p+8, -0x1.2176cea5ba4bap+10, -0x1.5502b4b3bc122p+7, -0x1.f394c52e64bd7p+8,
    0x1.ac3c9f123eaadp+6, 0x1.6baf2a95d1716p+6, 0x1.0b33edaaa9471p+6, -0x1.79cc6e74f4ff6p+8, -0x1.147cdc6c8e821p+10, 0x1.2d52aff2a4487p+8, -0x1.408fd71df9529p+9, 0x1.573c0b6182b77p+8, -0x1.8982f44459d9bp+8, 0x1.6ffd5ab9789cep+10, 0x1.c02e636680c65p+7, -0x1.04e476149b4e5p+6,
};
inline constexpr double power_12[144] = {
    0x1.5908244e83c7bp-6, -0x1.bdf0e44904678p-5, -0x1.51757aab76639p-5, 0x1.4739e79916c16p-7, -0x1.8d4aa24582118p-5, 0x1.a5e7b5c8e6431p-7, 0x1.b4d73457f5fd5p-6, 0x1.f4ce7ae8eb40dp-6, -0x1.fa4f89d2784f1p-6, -0x1.95487dccae3e8p-9, 0x1.87897cf4a3890p-6, 0x1.a411b0981d1acp-7,
    0x1.c32435cd2fd9bp-5, 0x1.2b30870d57125p-4, -0x1.ed87e4877ca66p-5, -0x1.1d7e6d2e4d846p-5, -0x1.063f711e85634p-7, 0x1.460cac5cd9829p-4, -0x1.7508396b20cf9p-5, 0x1.de11a325c1434p-5, 0x1.0e87c57dabf2fp-5, -0x1.86bc24c3ab899p-7, -0x1.4a00f84d69afdp-8, -0x1.09f7c089d0bdcp-5,
    -0x1.f8afa1f3bd5f2p-5, -0x1.c3ec11bcb99dep-10, 0x1.9bba86346a793p-4, -0x1.5978929dd3d1bp-10, 0x1.fdb367ec51969p-5, -0x1.3b663a33a4699p-4, 0x1.c8ff5b4d97411p-6, -0x1.82a1e626adf50p-4, 0x1.8805dbd80a485p-6, 0x1.6f5d35a52d574p-7, -0x1.238238f79d7c1p-5, 0x1.3f6e3baf86d47p-6,
    -0x1.2c0503d8ddd77p-6, 0x1.8c34e37dc112ap-10, 0x1.8a1a269ca3111p-5, 0x1.a65a6c0304cafp-7, 0x1.07436201feab1p-5, -0x1.2f9f312279d66p-5, 0x1.efaa4911d2b3ap-7, -0x1.1b825c34920d6p-5, 0x1.7f12f87cd12cep-9, 0x1.0b6204f802d46p-6, -0x1.3433e24a123b4p-7, -0x1.9544579192890p-8,
    0x1.55fbcb0220080p-6, 0x1.870525da2ed7dp-4, 0x1.e38927d1b270bp-9, -0x1.b494e11e9c5b6p-5, 0x1.18294cd5baea5p-4, 0x1.d5eeeab352706p-6, -0x1.7e8d1edaee7b4p-5, -0x1.0dd0113d675fdp-7, 0x1.28789cf7a9327p-4, 0x1.fae1bedb71b42p-11, -0x1.023a0d2a476d0p-10, -0x1.c9c5d53098f69p-5,
    0x1.f0fbc1fa12756p-5, 0x1.359bf64f50362p-14, -0x1.1a8eaffbd2ea7p-3, -0x1.1867a5a729320p-5, -0x1.1d900b4733e45p-4, 0x1.09b0bc8059057p-3, -0x1.29c4be642161ep-5, 0x1.df66a13c94952p-4, -0x1.b9a25fb15257cp-8, -0x1.fd0c9866601bfp-6, 0x1.324ff08c1aa91p-4, 0x1.cc8157a5d8333p-6,
    0x1.77cfed1eabc9bp-6, -0x1.c93803447e4dep-5, -0x1.e426dc84b6495p-4, 0x1.d717b5e79d354p-8, -0x1.2c2b4a70db954p-4, 0x1.e70d034f888b7p-5, 0x1.22096e6ee129ap-6, 0x1.2937665243c5ep-4, -0x1.bcf4a791a1d49p-5, -0x1.7ae7fc8863d93p-6, 0x1.edaf90ef6366ap-5, 0x1.0fc0169059e99p-4,
    0x1.116d103f58114p-4, 0x1.b2ba5078cc29dp-7, -0x1.5c26eb770ae60p-3, -0x1.c2d61fcb06661p-6, -0x1.3fa5d7b2942edp-4, 0x1.111cfe5f2845ep-3, -0x1.a4a90309cf9b7p-6, 0x1.137c1959919b9p-3, -0x1.2487ab51fddbfp-5, -0x1.1ab014dd8f0ccp-5, 0x1.ff82fb8381958p-5, 0x1.8bea4e6064c3bp-5,
    0x1.d14b5c9bcc2c0p-6, 0x1.3293fda90d9cap-4, -0x1.4e53581d07feep-8, -0x1.be50abe180d26p-5, 0x1.ac7b45a51d832p-6, 0x1.9321fbcf0d486p-5, -0x1.97f89d26df5cbp-5, 0x1.3f876e4c77766p-5, 0x1.12f019529a2cap-4, -0x1.7ea33497194c8p-6, 0x1.480b0ebf92a57p-6, -0x1.10505558a932ep-5,
    -0x1.dffe5b6ecffa6p-7, 0x1.a292cfbfc062bp-5, 0x1.aec5dd9fb761dp-5, -0x1.c91d489dfdb30p-6, 0x1.15cf6f467528cp-4, -0x1.1b85d7d7d9c6ap-5, -0x1.d1b0ea3b3eaefp-7, -0x1.88db2fb642ca8p-5, 0x1.dae7acf97abf5p-5, 0x1.ff6f2bab0d647p-7, -0x1.22d4ac5428a52p-7, -0x1.1f640631cdf58p-5,
    0x1.7c7b12597fd24p-4, 0x1.bd29afb243842p-5, -0x1.682fb31e70052p-3, -0x1.3a88b24629ac2p-5, -0x1.8bc25fdfd5d42p-5, 0x1.5904f50fd10efp-3, -0x1.1a101342a9382p-4, 0x1.1f72c8975439ap-3, -0x1.c26de75707823p-7, -0x1.6de870f568900p-5, 0x1.29fc60510251dp-4, 0x1.abd51e842d3aap-7,
    -0x1.3f2169c6baacep-8, -0x1.ef58a6c79794ap-4, -0x1.e40d964af8bd8p-4, 0x1.2ea78e490e8cap-5, -0x1.71f6f38ca4203p-4, 0x1.d0a0e740beb1fp-5, 0x1.30ed960014ae9p-5, 0x1.8cda31095c0bfp-5, -0x1.8eeac630efb80p-4, -0x1.6020dba7b0381p-7, 0x1.bc35eadec4bbcp-5, 0x1.da22f95cc0297p-4,
};
inline constexpr double q_3_2[6] = {
    -0x1.e2d8f647db1dap-1, -0x1.3330e7f3cd135p-2, 0x1.0134777dd4a40p-2, -0x1.d9d4426e5331ap-1, -0x1.be9044c1cb0c6p-3, 0x1.d9ef3518ac57ap-3,
};
inline constexpr double r_3_2[4] = {
    -0x1.81aae83a58f8bp+1, -0x1.015df63e9097dp-1, 0x0.0p+0, -0x1.b7be5ce12b504p+0,
};
inline constexpr double svdvals_3_2[2] = {
    0x1.8965420989d84p+1, 0x1.af1aee8626a08p+0,
};
inline constexpr double pinv_3_2[6] = {
    0x1.22abd91c16df8p-2, -0x1.62ce7b5f668bcp-3, 0x1.847b31182cb21p-4, 0x1.65aac5ea46e00p-3, 0x1.13d7d86fab88ap-1, -0x1.13e7888ba1cccp-3,
};
inline constexpr double lstsq_3_2[2] = {
    0x1.baa84dc7d2417p-2, -0x1.65aac5ea46dfep-2,
};
inline constexpr double norms_3_2[8] = {
    0x1.c0942eb90bc4dp+1, 0x1.30795ca64e944p+2, 0x1.10562e5ea46b5p+2, 0x1.5ecee2b203e95p+1, 0x1.8965420989d84p+1, 0x1.af1aee8626a08p+0, 0x1.ea589cbcc771bp+1, 0x1.e3c89c69c9a84p-1,
};
inline constexpr double conds_3_2[2] = {
    0x1.d336dc787c4cep+0, 0x1.0000000000000p+1,
};
inline constexpr double q_2_3[4] = {
    -0x1.eec09589eb70ap-1, 0x1.078be2942a5d1p-2, 0x1.078be2942a5d1p-2, 0x1.eec09589eb708p-1,
};
inline constexpr double r_2_3[6] = {
    -0x1.78633c352a177p+1, -0x1.28a592275be61p-1, -0x1.92dbfce20d5f8p-2, 0x0.0p+0, 0x1.ab33d095ff5e2p+0, 0x1.0cafa65909ffdp+0,
};
inline constexpr double svdvals_2_3[2] = {
    0x1.8a0ef1b91402cp+1, 0x1.e20ee104df33ep+0,
};
inline constexpr double pinv_2_3[6] = {
    0x1.30aa184956270p-2, -0x1.a229bd66e6b2cp-3, 0x1.bf3d8fc53e84bp-4, 0x1.a9d0dbedacdc0p-2, 0x1.25505184e6387p-4, 0x1.09c042755d452p-2,
};
inline constexpr double lstsq_2_3[3] = {
    0x1.9e9985df5bf6ap-2, -0x1.c858d91f08edcp-3, -0x1.16d5a5a3a5d1cp-3,
};
inline constexpr double norms_2_3[8] = {
    0x1.cded7061ec9a3p+1, 0x1.3d8b311dc1ce6p+2, 0x1.cc9439b394ae8p+1, 0x1.90300b395ffe4p+0, 0x1.8a0ef1b91402cp+1, 0x1.e20ee104df33ep+0, 0x1.1eca9f42013eap+2, 0x1.910bdf6d87d7ap+1,
};
inline constexpr double conds_2_3[2] = {
    0x1.a288cbfe4d6c2p+0, 0x1.0000000000000p+1,
};
inline constexpr double q_6_4[24] = {
    -0x1.d4b906205eb02p-1, -0x1.7d6ea19ca8b79p-2, 0x1.c2c66e2ad735ap-4, 0x1.95262d0d91052p-6, 0x1.f35ca1b5fd7c0p-3, -0x1.5cbb30ed403fbp-1, -0x1.5e1e94b5402bfp-2, 0x1.f02750414d288p-4, -0x1.b1800d9264e1fp-3, 0x1.2dbadb2e4c4cep-3, -0x1.7cf9c3e4f4bf5p-1, -0x1.9fcd62b876b8bp-2,
    0x1.66f649b33dd3bp-3, -0x1.b5098089dcb5ap-2, 0x1.bfd09d386dcb7p-2, -0x1.66df34018c1aap-1, -0x1.153d420a5b43fp-3, 0x1.ae4cfda774a28p-2, 0x1.3081ec1d94a68p-3, -0x1.d4e46ba765bb9p-2, 0x1.7bef6547375d6p-4, -0x1.0a2ad65283048p-3, -0x1.4a2810d947540p-2, -0x1.610bd722cb179p-2,
};
inline constexpr double r_6_4[16] = {
    -0x1.8d4a1ed9b7de3p+1, -0x1.711d7ac80a3dcp-3, -0x1.a0d74e9c52100p-1, 0x1.a6a9a596c2dc8p-2, 0x0.0p+0, -0x1.1b46a8e5dafffp+1, -0x1.c6a0527c38de4p-2, -0x1.062ec18b52d59p+0, 0x0.0p+0, 0x0.0p+0, -0x1.2ee215bf26946p+1, 0x1.0ef096e018820p-1,
    0x0.0p+0, 0x0.0p+0, 0x0.0p+0, -0x1.6e023c24f6f43p+1,
};
inline constexpr double svdvals_6_4[4] = {
    0x1.bec507e9b3634p+1, 0x1.8f5c6e10658efp+1, 0x1.2a101d2386e4fp+1, 0x1.d532ad2298d04p+0,
};
inline constexpr double pinv_6_4[24] = {
    0x1.2f0a0b46c1deap-2, -0x1.18aa9ef781555p-3, 0x1.0590b7ec5575ep-7, 0x1.0caa5feb258c8p-8, 0x1.6466c592699dep-4, -0x1.c201ce2a9c164p-5, 0x1.74cdc43ca4081p-3, 0x1.337d795a3ce4ap-2, -0x1.9d2acfcc0abb2p-3, 0x1.b017fcb883471p-4, -0x1.08c48ae83a087p-2, -0x1.e880f090a6e91p-6,
    -0x1.8cd7cd71d37d3p-5, 0x1.1485d6dddaefap-3, 0x1.628627a331b9fp-2, -0x1.0a3adbcd49d86p-3, -0x1.babf326d994aep-6, 0x1.4e4642cf9adf4p-3, -0x1.1b6050f19ef2ap-7, -0x1.5b07316de6129p-5, 0x1.22d3d3c077c84p-3, 0x1.f60436951e58ap-3, 0x1.47f5e5e5d99a9p-3, 0x1.edddfc28c33e5p-4,
};
inline constexpr double lstsq_6_4[4] = {
    0x1.a1ebe9727c43bp-2, -0x1.74cdc43ca407cp-2, 0x1.8cd7cd71d37ecp-4, 0x1.1b6050f19ef20p-6,
};
inline constexpr double norms_6_4[8] = {
    0x1.629a22a8d26dep+2, 0x1.58b2ba6bbb0fep+3, 0x1.65e6bfb793a9ap+2, 0x1.3520a77133ab5p+2, 0x1.bec507e9b3634p+1, 0x1.d532ad2298d04p+0, 0x1.4c2ac7f0df36ep+2, 0x1.2530bcdbe4facp+1,
};
inline constexpr double conds_6_4[2] = {
    0x1.e786945f4c6b8p+0, 0x1.0000000000000p+2,
};
inline constexpr double q_4_7[16] = {
    -0x1.db2a10616a0bap-1, -0x1.5fd65c8c5c976p-2, 0x1.00009a2fa33d2p-3, -0x1.229734f62455cp-4, 0x1.fa3977017481cp-3, -0x1.8f5f35fea5f34p-1, -0x1.f0202d53b4905p-2, -0x1.3cd314120e711p-2, -0x1.b7752cb5b679dp-3, 0x1.734cfe7266e29p-3, -0x1.89775b6e9b27fp-1, 0x1.265976dc75466p-1,
    0x1.6be52c330d717p-3, -0x1.f652c40e6995ep-2, 0x1.9865aed9bc304p-2, 0x1.821ead3ef39f1p-1,
};
inline constexpr double r_4_7[28] = {
    -0x1.87e7578bc42dcp+1, -0x1.546f6f758a6a6p-2, -0x1.e88722562abecp-1, 0x1.cc3178af759acp-2, 0x1.01552a380c807p-1, 0x1.515f8688ff4c4p-1, 0x1.5c51d0d3d1188p+0, 0x0.0p+0, -0x1.fb4288728d38ap+0, -0x1.cbdb29b02c6d0p-4, -0x1.757eb8a148050p+0, 0x1.f585e7e66a35ap-1,
    0x1.4f8b1c6657a54p-1, -0x1.09e11244a29c6p+0, 0x0.0p+0, 0x0.0p+0, -0x1.185d73e763db1p+1, 0x1.1c9a9bbc1c6e2p-1, 0x1.dd3fcd641ce6dp-1, -0x1.0327f52d1dc4fp+0, 0x1.e05d633c52428p-2, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0,
    0x1.2545694ed4ebdp+1, -0x1.49d99098f445ep-2, 0x1.9be1bc392c294p-2, -0x1.be91cb7d464e6p-3,
};
inline constexpr double svdvals_4_7[4] = {
    0x1.e806eb17979ecp+1, 0x1.9bb0a4a41f3a6p+1, 0x1.3b1bec6557e6ep+1, 0x1.dfb6efcae6591p+0,
};
inline constexpr double pinv_4_7[28] = {
    0x1.f17cf88d650ddp-3, -0x1.0bbf32f802333p-3, 0x1.b58d10f16a5a7p-9, 0x1.fd95c6b86c4a9p-7, 0x1.0a845ab9fa4cep-3, 0x1.21cc7ca4d15b3p-2, -0x1.0ee82b223ab08p-3, 0x1.844ff627c8d01p-7, -0x1.f5ed54d9f9744p-7, 0x1.6847bd1db589dp-3, 0x1.d856b5a265e5fp-3, -0x1.9b345d91141f8p-4,
    -0x1.b5738316a0a5fp-7, -0x1.10a8fd6b32262p-3, 0x1.7ebb731e75ea9p-3, 0x1.506308dbd0623p-2, -0x1.3e6d291fb7913p-5, -0x1.52d4594630b00p-3, -0x1.59c35c82ad790p-4, -0x1.14d5d6f7a7114p-8, -0x1.295addc2ff909p-3, -0x1.170d14c5b667cp-5, 0x1.b4ebf809784bcp-3, -0x1.d3d0559e49456p-9,
    -0x1.9ee8a8c406de6p-6, 0x1.9cd493596ef7fp-3, -0x1.3cb4fb8f42850p-3, -0x1.d3a518736248ap-8,
};
inline constexpr double lstsq_4_7[7] = {
    0x1.30358f5c51b6ap-2, -0x1.958f54a0d1c26p-3, 0x1.ec749ed1493ffp-5, 0x1.13294296ad631p-5, 0x1.4243729d85511p-5, 0x1.76700420dfe50p-5, -0x1.1618ed00e4716p-2,
};
inline constexpr double norms_4_7[8] = {
    0x1.77a92d737bc5ep+2, 0x1.6babbd01a07b2p+3, 0x1.33276c4a8b09fp+2, 0x1.268483760791bp+1, 0x1.e806eb17979ecp+1, 0x1.dfb6efcae6591p+0, 0x1.be89b8bcb2adep+2, 0x1.599cb244c5e8cp+2,
};
inline constexpr double conds_4_7[2] = {
    0x1.046f994828858p+1, 0x1.0000000000000p+2,
};
inline constexpr double q_12_9[108] = {
    -0x1.c7bdd75aa378ap-1, -0x1.afe0ab4ad6f59p-3, 0x1.04faff040bbe1p-4, -0x1.2f6748b10e4e6p-5, 0x1.3cdabb27bb5a9p-4, -0x1.10992787782f3p-6, -0x1.0d71ff7e940f7p-3, 0x1.2d3de72b7de1ep-4, 0x1.0dacf4441d592p-3, 0x1.e58838ca4b7d6p-3, -0x1.19017bde0ff8cp-1, -0x1.49f98a1824492p-2,
    0x1.70a1c2d3fe156p-5, -0x1.15cb4c463a556p-6, 0x1.1c388b99e893ep-2, 0x1.1e1b88a0872a9p-3, -0x1.95620f0a82bb8p-3, 0x1.2432afbb81053p-2, -0x1.a57e97f03c050p-3, 0x1.0ed6608312686p-3, -0x1.2aa1b9004a5dap-1, -0x1.19b89848ff53bp-2, 0x1.da0a66dbecfa8p-3, -0x1.5cd5d13580a57p-5,
    0x1.ac19145f0120ap-3, 0x1.f8f87bfe6e26fp-5, -0x1.0f0c811ee10cap-2, 0x1.5d054b4629f3ep-3, -0x1.621f54db397aep-2, 0x1.4611ea48c06ebp-2, -0x1.568f8dc00e9bap-1, 0x1.d609da467bd34p-3, 0x1.31a5c3688be73p-4, 0x1.7b9c8d0ed9340p-5, 0x1.0b27c923a317cp-2, 0x1.d233f44eb067cp-3,
    -0x1.0d8faaf7aacc8p-3, 0x1.596be35b6963bp-2, 0x1.313d15b68de3dp-3, -0x1.62174044d743cp-2, -0x1.0f26e67347353p-1, 0x1.3935d56a6197ap-2, 0x1.72d7d8101b73fp-3, 0x1.b14f7187d43aap-3, 0x1.6dcf17535afe9p-3, 0x1.7169b49576004p-4, -0x1.bd123f7210817p-4, -0x1.116c086de1262p-2,
    -0x1.220a2d888d92bp-2, -0x1.6ad21afc60069p-2, -0x1.3346cc274de74p-1, 0x1.e4802eb8bf7cap-3, 0x1.71c1432e0c527p-3, -0x1.736c9c8e2fba8p-3, -0x1.809e860ec092ep-5, -0x1.7cfa8193abb6cp-3, -0x1.04a59cf4a5b09p-2, -0x1.1ea4b37024187p-2, -0x1.a4c6194a7ebb6p-2, -0x1.1e1614a7a884ap-7,
    -0x1.3d2c3da7d2cb4p-1, -0x1.970d5ca14cde3p-2, 0x1.0876868a6bfcep-5, 0x1.6b6e88f184010p-9, 0x1.635c46c4da809p-2, 0x1.ae926e81635f1p-5, -0x1.65be6e37ff3b1p-2, 0x1.c31ccea67a8c0p-4, 0x1.284435c607890p-2, 0x1.43394b9b5b4edp-3, -0x1.2f9ed46049450p-1, -0x1.a6eb81d9eb0e9p-3,
    0x1.53a5179c392adp-5, -0x1.11c715c05035dp-2, 0x1.68d1f373d0112p-2, -0x1.e6ae047e2732bp-4, 0x1.390b109ad29d2p-4, -0x1.00f63c60f47e5p-7, -0x1.d06a3069ed9a9p-3, 0x1.e9893273c0326p-7, -0x1.71c242546c670p-1, -0x1.5b9a673219559p-4, 0x1.b9a1ea9686874p-8, 0x1.046e6b1170a15p-3,
    -0x1.4eda019de00fap-3, 0x1.62ab3a95d973ap-2, -0x1.ca23b35aa108bp-2, 0x1.6a32074c83164p-3, -0x1.b4939dd618287p-2, 0x1.1ee810bb7c79bp-2, 0x1.0336992b7acf3p-3, 0x1.ffaf8a0d49eebp-3, -0x1.5dd835bb089b0p-2, -0x1.6a7961bfb1987p-3, 0x1.abaf8b94638aep-2, 0x1.301e261375bf3p-3,
    -0x1.cdb7200cedc45p-2, 0x1.597bff89518dbp-2, 0x1.3b407e637c506p-4, -0x1.536fd3c932050p-3, -0x1.4810ef6483e57p-2, -0x1.70991d09ab347p-3, 0x1.e6d66d58b84ffp-6, 0x1.ff53ef5fe77e6p-7, 0x1.93cd4ca38d3e2p-2, 0x1.76b89c4240893p-2, 0x1.ad29871a60384p-6, -0x1.04dbad86f5b7cp-2,
};
inline constexpr double r_12_9[81] = {
    -0x1.989b14f4b0820p+1, -0x1.bdb280742e87ep-2, -0x1.be315a7711672p-1, 0x1.80158f1cb4730p-2, 0x1.04262e57686bep-2, 0x1.0a555fcb3580ap+0, 0x1.958210fe36334p+0, -0x1.23e0ae9d2f0fep-1, -0x1.00cd85814cc75p-1, 0x0.0p+0, -0x1.6d5d6d2a5fcbfp+1, -0x1.33966ef44d8d8p-2,
    -0x1.a95ba53b4e3f9p-1, 0x1.69d4c313f83e5p+0, -0x1.12d838d6a2a90p-5, -0x1.76d6a4b62144dp+0, 0x1.ef779778b38bfp+0, -0x1.8fef6347e61fbp-2, 0x0.0p+0, 0x0.0p+0, -0x1.7b38738f20d34p+1, 0x1.8091000dd8a92p-2, 0x1.c8e2c6d50160bp-1, -0x1.c01049d71753fp+0,
    -0x1.0f7d36027a934p-2, -0x1.13d19103770d8p-2, 0x1.0bb3c36bc67cbp+1, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, -0x1.b31a05578e74bp+1, -0x1.b8c0881b9635ep-1, -0x1.158ac5183efd0p-1, -0x1.21da4181a8fedp-1, -0x1.0c0cd1373bfcap-1, -0x1.50070b9f3f1fcp-1,
    0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, -0x1.79908dcc902a1p+1, -0x1.7ec3d454dd60bp-2, -0x1.c3273d5a14fbap-1, -0x1.51d583b05fb78p-4, 0x1.b26a42138fcd3p-3, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0,
    0x0.0p+0, 0x0.0p+0, -0x1.6dd79c74b02ccp+1, 0x1.55a6160bab7b2p-2, 0x1.5f492bb6f2ae6p-1, 0x1.69976677730f2p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0,
    -0x1.49df7b65e95bep+1, 0x1.5f0f96b1c3405p+0, -0x1.e41e0a43940d6p-4, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, -0x1.205c8e695cf73p+1, 0x1.223e5ac4917e7p-2,
    0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, -0x1.0fb69c49b5625p+1,
};
inline constexpr double svdvals_12_9[9] = {
    0x1.447e2ef0ccce2p+2, 0x1.38a5e73efadadp+2, 0x1.1569611b700abp+2, 0x1.c01068aec54e1p+1, 0x1.6ad5618be5299p+1, 0x1.39e67f7dc9e2cp+1, 0x1.c7c78a284164fp+0, 0x1.929205f74698dp+0, 0x1.4db669d4ede1ap+0,
};
inline constexpr double pinv_12_9[108] = {
    0x1.4320afddff5cdp-2, -0x1.6cfa1b3e63392p-3, -0x1.dd50015e6b90ep-6, -0x1.65de01d40422dp-5, -0x1.3fbf20b0f3b94p-5, -0x1.7139b085a73d4p-5, 0x1.66fc75f7d41d4p-3, -0x1.7288d0619aff6p-7, 0x1.bec17cfbf9712p-6, 0x1.1b0ee58f25804p-3, 0x1.c04e72cedbda8p-6, -0x1.3cdf3b59ad04fp-3,
    0x1.02483cbf64206p-6, 0x1.063af040f325bp-2, -0x1.8fab4fff3c736p-4, -0x1.e5f1d0243acc0p-9, -0x1.61d81a1bdbe58p-5, 0x1.8c2d9d2f36f5ep-4, 0x1.f90175fc2ada4p-6, -0x1.0ec6fdbca4a2dp-5, 0x1.2e53c8c4d59a5p-6, 0x1.9467f10ad638ep-5, -0x1.70922fd1c3a64p-2, 0x1.72ed830bfe080p-3,
    -0x1.abc6a032668c5p-5, 0x1.a72c07811575dp-4, 0x1.020c2e52660a1p-2, -0x1.20d59bb05810bp-4, 0x1.bd9ec47f6c1a3p-4, 0x1.59e5ffb1e1f26p-4, -0x1.577f74f30f0b2p-7, -0x1.2683b72f961cbp-7, -0x1.c36cf31d36b17p-6, -0x1.195124bfc7108p-2, 0x1.ed3954ef5806fp-4, 0x1.d8e30951e4899p-3,
    0x1.33b81a20233f1p-5, 0x1.79610775cf6f7p-6, 0x1.39dd030935684p-4, 0x1.1f9e175c28ba6p-2, 0x1.fd9fb37fd003bp-4, 0x1.dc600d0112d2ep-6, -0x1.fa371b6afcd44p-7, 0x1.4fd4f6266ab3ap-5, -0x1.178663cab90adp-4, 0x1.ee5f886b8ec96p-5, 0x1.f33e9d9aa4d2bp-4, -0x1.047b16ada4a68p-7,
    -0x1.2164e435d70b8p-5, 0x1.045580b3e5bd8p-6, -0x1.94439603641ddp-5, -0x1.5a5b9d3163d31p-5, 0x1.e4b544f3e966ep-3, 0x1.1e9894ae9eefep-3, 0x1.87650a213fed6p-6, -0x1.0a6d55c848e75p-4, -0x1.b9dfbb4dd03a6p-5, -0x1.43102c92b235ep-3, -0x1.3f6aea0b0cbe1p-3, 0x1.e170d6cae2756p-5,
    -0x1.f80f3000f3bb5p-6, -0x1.2e839752c4e78p-3, 0x1.0177801dd8879p-4, -0x1.ea4942dd72938p-4, -0x1.80e0fa22a9b55p-3, 0x1.c2ae52bfd33f7p-3, 0x1.3904057ec2221p-4, 0x1.6f43926edab3dp-6, 0x1.85a33aafbedf6p-3, 0x1.16e0c85b12d30p-3, -0x1.88c0e8d083ccap-4, -0x1.846fbe634abeap-4,
    0x1.093023ce1444ap-5, -0x1.5125de12709dap-7, -0x1.7d185827ce69ep-4, -0x1.4f51ce7908626p-4, -0x1.f3c1fb42f93dep-4, -0x1.0fa56bcfd6254p-3, 0x1.55f601c56b13fp-2, 0x1.4b48088c5d76dp-4, 0x1.7757ae65c89fap-4, 0x1.dff7f5e33eaa5p-6, 0x1.8317150e68f2ep-4, -0x1.2a4b0f284670ep-3,
    -0x1.4b5e8ed465aa3p-5, 0x1.229d4ed49c0d6p-4, -0x1.7e84c709d8a41p-7, -0x1.08ce383da4a41p-3, -0x1.ac0b7477071a2p-4, -0x1.1c3afaf897283p-4, 0x1.6573abf635fcap-3, 0x1.1a146478b796ap-2, 0x1.2853130ebb5cbp-5, 0x1.61925b2da3bc5p-3, -0x1.3c0dfddb2a9ecp-3, 0x1.c7041ab626439p-9,
    -0x1.fc2905cbdaacap-5, -0x1.134cceee5a387p-3, 0x1.febf76603b93fp-4, -0x1.b73e00115f84cp-4, -0x1.58a76e696b85dp-4, 0x1.5df1d1b55ac8cp-4, -0x1.f25681be420d8p-7, 0x1.8e765756e498cp-4, 0x1.5c601f773068ep-2, -0x1.0e50869256dabp-3, -0x1.29054f9de0702p-5, 0x1.eb8b8c859f659p-4,
};
inline constexpr double lstsq_12_9[9] = {
    0x1.79bea04401467p-2, -0x1.02483cbf641fcp-5, 0x1.abc6a032668cep-4, -0x1.33b81a2023402p-4, 0x1.2164e435d70cap-4, 0x1.f80f3000f3bbdp-5, -0x1.093023ce1444ap-4, 0x1.4b5e8ed465aa5p-4, 0x1.fc2905cbdaad0p-4,
};
inline constexpr double norms_12_9[8] = {
    0x1.4330ee8e34671p+3, 0x1.bbbde6a923d63p+4, 0x1.515c9c79309ecp+3, 0x1.c02845506874fp+2, 0x1.447e2ef0ccce2p+2, 0x1.4db669d4ede1ap+0, 0x1.0d690afbbc2d1p+3, 0x1.66e31699b712bp+2,
};
inline constexpr double conds_12_9[2] = {
    0x1.f1dace6ba2ad2p+1, 0x1.2000000000000p+3,
};
inline constexpr double q_9_12[81] = {
    -0x1.d3c0531784ee0p-1, -0x1.46373a37389ecp-2, 0x1.b155028ee278dp-4, -0x1.2c52dc552b10bp-11, 0x1.7a48a5e565cecp-7, 0x1.ad2c3bda3d5dap-9, 0x1.0aac47724f849p-3, -0x1.467bcc403daafp-3, -0x1.9d627672c9d9fp-4, 0x1.f253acf0cfeaap-3, -0x1.2917fbd55fa14p-1, -0x1.5b8f7447148d3p-2,
    0x1.0e06950a7d799p-4, -0x1.e7150452049d0p-5, 0x1.186e342daf4e5p-1, 0x1.7f750b5158906p-2, -0x1.85c4c865e7142p-3, 0x1.14c9eba8f6bc7p-4, -0x1.b09a0ad8d97e4p-3, 0x1.00ab4d67dc6eep-3, -0x1.467b0a34f36bcp-1, -0x1.4375b34799012p-2, 0x1.c88bfecfc1f3ep-2, 0x1.1ecce244e02d1p-8,
    -0x1.b82ac2b02a9ccp-7, 0x1.5fcf716db62b5p-2, 0x1.5d2be74a2b609p-2, 0x1.6637d38f17f47p-3, -0x1.744bfc6f92ea8p-2, 0x1.6d5e596bec3d8p-2, -0x1.50058a3ee45e5p-1, 0x1.3802e3411c3e9p-2, -0x1.3e48c693afb34p-5, 0x1.ccb357a8c8d94p-5, 0x1.feb2e3b83e0f4p-3, -0x1.61fa9dc2ff35ep-2,
    -0x1.14aa28609aad7p-3, 0x1.6e9a67b2bd892p-2, 0x1.3c5aacbaaec54p-3, -0x1.7ce97567e7fc6p-2, -0x1.1f670f3b8a895p-1, 0x1.7be48db9dde43p-2, 0x1.5f8dd464c7606p-2, 0x1.3ad5a3d54a271p-2, 0x1.4ba654b2a7e9cp-3, 0x1.7b25ce5850a38p-4, -0x1.c549ab39f0d16p-4, -0x1.2a2fedd4c11bap-2,
    -0x1.32632a51018b8p-2, -0x1.6af39b34855acp-2, -0x1.5fbee1b30a0ecp-1, 0x1.69404da5a698ap-2, -0x1.227c21e8651fap-2, 0x1.8b6ab0e0b6f78p-5, -0x1.8ac13534418f2p-5, -0x1.ac328a69d1e56p-3, -0x1.14bfe9579c849p-2, -0x1.2582a90d3f7e0p-2, -0x1.c9ceb9d6e96ffp-2, 0x1.039a73d668d65p-3,
    -0x1.817df69aec840p-1, -0x1.dc9b94cbfa1fep-5, -0x1.cae80ccfe5521p-4, 0x1.750249421383ep-9, 0x1.86f0cf8f3fe51p-2, 0x1.69ea3ef2f6f73p-5, -0x1.88f1157e0742bp-2, 0x1.02da012aeda94p-2, 0x1.0752b5a11d6dep-2, -0x1.b6b9365df4c3dp-6, -0x1.83e7cf545afe6p-1, 0x1.1791c4e91a241p-6,
    0x1.5c985fddd2586p-5, -0x1.28d6c7d974e3ep-2, 0x1.947ed777926c2p-2, -0x1.6ae8d948713b8p-4, 0x1.d6d3989776d76p-7, -0x1.4e7167e727812p-4, -0x1.60167445bf125p-3, -0x1.36df65031653cp-4, 0x1.aed5e5e733fb6p-1,
};
inline constexpr double r_9_12[108] = {
    -0x1.8e1d5b2041f2fp+1, -0x1.6b9d442bcd6dcp-3, -0x1.cb228854bea28p-1, 0x1.99326972b0970p-2, 0x1.977a0aa7d5b88p-3, 0x1.e59346fe55664p-1, 0x1.537f5a1944c80p+0, -0x1.7a64d76548078p-2, -0x1.85a9bb1f785f2p-2, -0x1.72d59d5f50938p-1, -0x1.8f044f73970f2p-1, -0x1.dc6c9df4f66dcp-2,
    0x0.0p+0, -0x1.4c58ff86799a3p+1, -0x1.7876f0822261cp-2, -0x1.e8009f4d963ecp-1, 0x1.98c9dfd2c10c8p+0, -0x1.7a41a1d3a18d2p-2, -0x1.ec0db3dc3c75cp+0, 0x1.2df323f0d06bap+1, -0x1.3b7bce29e0ca0p-6, -0x1.5686d47bf218ep-1, -0x1.5be3b27b84c71p-1, 0x1.22161e1aaad22p-2,
    0x0.0p+0, 0x0.0p+0, -0x1.5a209a7164edbp+1, 0x1.eab6ee1182ba2p-2, 0x1.03f27bfbc5440p-1, -0x1.156ccdd7882dcp+1, 0x1.6af6b1dd70af8p-4, -0x1.74e2e961a5f4bp-1, 0x1.35ccaa1c7c682p+1, 0x1.1e3b3a75cd4ffp-3, -0x1.5f776fb98867ap-2, 0x1.e308c2b26fde0p+0,
    0x0.0p+0, 0x0.0p+0, 0x0.0p+0, -0x1.a4d3cf7c9daabp+1, -0x1.440af1b001cb5p+0, -0x1.a3ad1d5aa3988p-2, -0x1.e0aa7373b4a61p-2, -0x1.606db61b8ace5p-1, -0x1.ab45b809311e4p-1, 0x1.52e8ef4dc8754p+0, 0x1.171e3837c91c6p+0, -0x1.10db6bb9a5e30p-2,
    0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, -0x1.320850d1948bbp+1, -0x1.34ca49923927cp-1, -0x1.42b35e55d25e0p+0, 0x1.9325a2c89ad88p-2, 0x1.51b10803995bep-1, 0x1.ec86f63476d9cp-1, 0x1.ad3ee5739a1f7p-1, -0x1.64109b417a800p-9,
    0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, -0x1.11de328f31874p+1, 0x1.6830c177b255ap-2, 0x1.49a5177e71dffp+0, 0x1.c2c017df1f45ep-3, 0x1.ed36e546601f5p-2, 0x1.e20a6aa964260p-2, -0x1.3c259596ae738p-4,
    0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, -0x1.c1ccef5fa5b64p+0, 0x1.35a4482ddd580p-5, -0x1.ef5064a32410bp-2, 0x1.b32db92c4a883p-3, 0x1.b421e721bc6b7p-1, 0x1.218a0b0c8d731p-1,
    0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, -0x1.5878a14b0337ep+0, -0x1.1306b6fc195adp-2, -0x1.2f3b53b7ec588p-4, 0x1.8a2cc33b58e26p-1, 0x1.078023badf13ep-2,
    0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x0.0p+0, 0x1.9bb6dea84071bp+0, 0x1.a97bd34439e4bp-3, -0x1.312272c563968p-1, 0x1.0c7cc38e51da2p-1,
};
inline constexpr double svdvals_9_12[9] = {
    0x1.4c3b941b1bdd3p+2, 0x1.40d6a213c7f33p+2, 0x1.29e3f5748fb14p+2, 0x1.aa45c2ed85003p+1, 0x1.4c43ebe2ee9d9p+1, 0x1.36dabcb658d30p+1, 0x1.e321fca1ded4bp+0, 0x1.a4d3b232f1e9bp-1, 0x1.7e5cb71696c1cp-1,
};
inline constexpr double pinv_9_12[108] = {
    0x1.3b19900f73b71p-2, -0x1.70b2372e2ddecp-2, -0x1.e2261f6799769p-4, 0x1.3fa16dd680038p-4, -0x1.b150b0664bf3bp-3, 0x1.75e079b3b96a0p-8, 0x1.c4491ff97d88cp-3, 0x1.cf0500a8911b5p-5, -0x1.6ec76fe2f0562p-3, 0x1.1f8ef341555dep-2, 0x1.167754cb9b126p-1, -0x1.c18322640b46ap-2,
    -0x1.3e4722c5a0693p-3, -0x1.a0e9d08df91ebp-8, 0x1.c17fc4cc0d339p-2, -0x1.7d8adcdf743ddp-3, 0x1.2ad8ada964aafp-2, 0x1.cb0523dbc1b7ap-4, -0x1.34374bb33f239p-3, 0x1.14f7a5e3e5bf4p-2, 0x1.1d413d48d0587p-1, -0x1.c09da44e5f674p-3, 0x1.97157fae7eb51p-2, -0x1.194c497846ebbp-3,
    0x1.cc229cd7c1d49p-7, -0x1.0be7096d0de4ap-2, 0x1.4867cb351f5abp-2, 0x1.4374394306654p-7, -0x1.67bb105f676ffp-6, 0x1.1543a60f3ec5ap-3, 0x1.4456fc7c9eb99p-2, 0x1.280f9b27809c2p-5, -0x1.36343074cea13p-6, 0x1.7e5deeab2ff37p-6, 0x1.4966fcb44b352p-5, -0x1.b43ca586f24ebp-4,
    0x1.c9d4243986a14p-10, 0x1.03f0e736d3927p-2, -0x1.13bfd1ff53387p-4, -0x1.965150027688ep-3, 0x1.ac51b997a9a4ap-2, 0x1.17335bf632d0bp-3, -0x1.a7e646be7e875p-5, -0x1.83a5177e9c049p-4, 0x1.dc411c8bafb7dp-4, 0x1.b28eec39bf5aep-6, -0x1.3b04e3602da71p-4, -0x1.44a145dc147f6p-5,
    -0x1.14ab42500f4dep-4, -0x1.5fdd54303d0bfp-3, 0x1.45f66bd81d801p-2, -0x1.f208262af38e3p-5, 0x1.10a6a84a52a04p-4, 0x1.184a6dc92331cp-4, -0x1.07fa34c9b83c0p-4, -0x1.6d4035fcc7dafp-4, 0x1.552ee52769c49p-7, 0x1.8e2185c2dba8fp-7, -0x1.d8dd483d24f75p-5, -0x1.c7e7f6921b507p-3,
    0x1.4a5140026e4a5p-2, -0x1.5cc3b4407663dp-4, 0x1.4aa93cdc19b23p-7, 0x1.7ea428388a4fcp-4, 0x1.a828ea82764b2p-3, -0x1.796a331220b78p-3, -0x1.b04e20116b668p-4, -0x1.596aa9013b1acp-4, 0x1.07c1ad19f7af6p-3, -0x1.b24169be2c135p-6, 0x1.a787d04e1eb59p-2, -0x1.77f43190930e4p-5,
    -0x1.d8a0e29619d96p-4, -0x1.6120d82e7fecfp-9, 0x1.4cdbe7922e22ep-2, -0x1.19c8d36add2d1p-3, 0x1.06c05e3686509p-3, -0x1.9f933c1f9e351p-4, -0x1.8195b8504f59ep-6, -0x1.689c449fadb16p-4, 0x1.bd43b58d57d8cp-2, 0x1.125e909a861b5p-4, 0x1.f28abb633753bp-3, -0x1.333ebb7290fe2p-4,
    -0x1.36138f3ccce2ap-3, 0x1.9efa04c79c95cp-7, 0x1.4e9eb97b35c70p-4, -0x1.d15994b87a097p-4, 0x1.5af4cc9b6bf42p-4, 0x1.163554b33b8e0p-3, -0x1.6c3082bdf64e8p-4, 0x1.6f0c6e49eb4bap-4, 0x1.f3209d30fde4dp-3, 0x1.940e5d8006aaep-4, 0x1.e6b1af3fb8be4p-3, -0x1.b5a527a137b16p-3,
    -0x1.42ed66d22c396p-4, -0x1.154d372700c35p-2, -0x1.013d46f376a0ep-4, 0x1.1530f352d8cfdp-5, 0x1.23e583b56b966p-3, -0x1.476e03513103fp-5, -0x1.0accc25f0897fp-4, 0x1.7176552fb6ca8p-3, 0x1.061ce90972defp-3, -0x1.7d102c4a2e603p-3, -0x1.3da4639845687p-5, 0x1.2acd42ae600dep-3,
};
inline constexpr double lstsq_9_12[12] = {
    0x1.82742bb30961ep-2, -0x1.1b6b6773c7404p-1, 0x1.4a28090f402dbp-2, -0x1.51092442b999ap-6, -0x1.a1c44c80f8000p-7, -0x1.76330e4e7dc3dp-4, 0x1.9e0e5c3252554p-4, -0x1.ba1367d44460dp-3, 0x1.bab8518889f47p-3, -0x1.309a11f631eb4p-3, 0x1.fc3c67f4c6f57p-4, -0x1.3ff94755f5be8p-4,
};
inline constexpr double norms_9_12[8] = {
    0x1.439abee1800c4p+3, 0x1.aab5bb6e20a13p+4, 0x1.0422107c65843p+3, 0x1.50c0dfa381b3cp+2, 0x1.4c3b941b1bdd3p+2, 0x1.7e5cb71696c1cp-1, 0x1.41f1b3aaef345p+3, 0x1.0f8fb604e84a9p+3,
};
inline constexpr double conds_9_12[2] = {
    0x1.bcdfdb8a14bd5p+2, 0x1.2000000000000p+3,
};
inline constexpr double rank_one_pinv[12] = {
    0x1.6c16c16c16c10p-8, 0x1.6c16c16c16c18p-7, 0x1.1111111111111p-6, 0x1.6c16c16c16c18p-6, -0x1.6c16c16c16c0dp-8, -0x1.6c16c16c16c15p-7, -0x1.111111111110fp-6, -0x1.6c16c16c16c15p-6, 0x1.6c16c16c16c0fp-7, 0x1.6c16c16c16c17p-6, 0x1.1111111111111p-5, 0x1.6c16c16c16c17p-5,
};
inline constexpr double vector_norms[7] = {
    0x1.4000000000000p+2, 0x1.9c16e126199dfp+1, 0x1.7a68a16b6dda6p+0, 0x1.1527633eca7d9p+0, 0x1.f07be5277aebdp-4, 0x1.aed548f090ceep-1, 0x1.ae4044881c506p-2,
};
// clang-format on
}  // namespace fluxion::test::scipy_numbers
