{
  # One static library per instruction level, each with its own flags, linked into one addon that chooses at run time.
  'variables': {
    'sanitize%': 0,
    # Hash of what it is built from (sources.js).
    'native_sources%': 'unknown',
    'kernel_flags': ['-O3', '-std=gnu++20', '-fno-math-errno', '-fno-trapping-math', '-ffp-contract=fast', '-fvisibility=hidden',
                     '-Wall', '-Wextra', '-Wno-unused-function', '-Wno-unused-parameter', '-Wno-psabi', '-Wno-uninitialized', '-Wno-maybe-uninitialized', '-Wno-missing-field-initializers'],
    'avx512_flags': ['-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl', '-mfma', '-mf16c', '-mprefer-vector-width=512'],
  },
  'target_defaults': {
    'cflags!': ['-fno-strict-aliasing'],
    'cflags_cc!': ['-std=gnu++17', '-std=gnu++20'],
    'cflags': ['<@(kernel_flags)'],
    'xcode_settings': {'OTHER_CPLUSPLUSFLAGS': ['<@(kernel_flags)'], 'CLANG_CXX_LANGUAGE_STANDARD': 'gnu++20'},
    'conditions': [
      ['sanitize==1', {
        'cflags': ['-fsanitize=address,undefined', '-fno-omit-frame-pointer', '-g1', '-O1'],
        'ldflags': ['-fsanitize=address,undefined'],
      }],
    ],
  },
  'conditions': [
    ['OS=="win"', {
      # The kernels use GCC/Clang vector types; with Microsoft's compiler the addon is left out and Sweeplab runs without it.
      'targets': [{'target_name': 'sweeplab', 'type': 'none'}],
    }, {
      'targets': [
        {
          'target_name': 'sweeplab',
          'defines': ['SWEEPLAB_SOURCES="<(native_sources)"'],
          'sources': ['addon.cc', 'program.cc', 'memory.cc', 'isa.cc', 'pool.cc'],
          'dependencies': ['level_portable'],
          'conditions': [
            ['target_arch=="x64"', {'dependencies': ['level_avx2', 'level_avx512', 'level_avx512bf16', 'level_amx']}],
          ],
        },
        {'target_name': 'level_portable', 'type': 'static_library', 'sources': ['level_portable.cc']},
      ],
      'conditions': [
        ['target_arch=="x64"', {
          'targets': [
            {'target_name': 'level_avx2', 'type': 'static_library', 'sources': ['level_avx2.cc'],
             'cflags': ['-mavx2', '-mfma', '-mf16c'], 'xcode_settings': {'OTHER_CPLUSPLUSFLAGS': ['-mavx2', '-mfma', '-mf16c']}},
            {'target_name': 'level_avx512', 'type': 'static_library', 'sources': ['level_avx512.cc'],
             'cflags': ['<@(avx512_flags)'], 'xcode_settings': {'OTHER_CPLUSPLUSFLAGS': ['<@(avx512_flags)']}},
            {'target_name': 'level_avx512bf16', 'type': 'static_library', 'sources': ['level_avx512bf16.cc'],
             'cflags': ['<@(avx512_flags)', '-mavx512bf16'], 'xcode_settings': {'OTHER_CPLUSPLUSFLAGS': ['<@(avx512_flags)', '-mavx512bf16']}},
            {'target_name': 'level_amx', 'type': 'static_library', 'sources': ['level_amx.cc'],
             'cflags': ['<@(avx512_flags)', '-mavx512bf16', '-mamx-tile', '-mamx-bf16'],
             'xcode_settings': {'OTHER_CPLUSPLUSFLAGS': ['<@(avx512_flags)', '-mavx512bf16', '-mamx-tile', '-mamx-bf16']}},
          ],
        }],
      ],
    }],
  ],
}
