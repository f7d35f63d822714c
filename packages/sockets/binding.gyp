{
  # For prebuildify (npm run prebuilds) and plain node-gyp. An ordinary install uses scripts/build-addon.mjs.
  'targets': [
    {
      'target_name': 'sockets',
      'conditions': [
        [
          'OS=="linux"',
          {
            'sources': [
              'addon/addon.c',
              'addon/arguments.c',
              'addon/descriptor.c',
              'addon/endpoint.c',
              'addon/message.c',
              'addon/option.c',
              'addon/watcher.c',
            ],
            'cflags': ['-std=gnu11', '-Wall', '-Wextra', '-fvisibility=hidden'],
          },
          {'type': 'none'},
        ],
      ],
    },
  ],
}
