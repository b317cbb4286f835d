import { describeForms } from './function-forms.ts'

/* Where function-modules.test.ts has one surrounding of the functions folder, these are the others. */
describeForms('in a project that says commonjs')
describeForms('in a project that has the server as a package')
describeForms('in the folder of the container')
