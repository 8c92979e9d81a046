import { defineConfig } from 'vite'

export default defineConfig({
  base: './', // the console works below any prefix
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  build: {
    outDir: '../dist',
    emptyOutDir: false, // dist/.gitignore stays; the Makefile removes the rest
    target: 'es2022',
    assetsInlineLimit: 0, // the policy allows no data: URLs
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
})
