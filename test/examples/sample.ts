/** A sample processor's module. They are JavaScript without types, like most functions on AWS Lambda. */
export const sample = (file: string) => import(new URL(`../../examples/processors/${file}`, import.meta.url).href)
