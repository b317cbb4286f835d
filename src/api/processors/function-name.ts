import Type from 'typebox'

/** As in the ARN of a Lambda function (AWS Lambda API reference, "FunctionName"). */
export const FunctionName = Type.String({ minLength: 1, maxLength: 140, pattern: '^[\\w.-]+$' })
