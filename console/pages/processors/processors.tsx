import { Failure } from '../../parts/failure.tsx'
import { NoFunctions } from '../../parts/no-functions.tsx'
import { PageTitle } from '../../parts/page-title.tsx'
import { Waiting } from '../../parts/waiting.tsx'
import { useSession } from '../../session-context.ts'
import { ProcessorCard } from './processor-card.tsx'
import { useProcessors } from './use-processors.ts'

/** The functions and endpoints that decide about messages, and how they are. */
export function Processors() {
  if (!useSession().appInstanceArn) return <AllProcessors />
  return (
    <>
      <PageTitle title="Processors" />
      <p className="card">
        The processors serve all AppInstances, so a key of one AppInstance does not list them.{' '}
        <a href="/pending">See what is pending</a> instead.
      </p>
    </>
  )
}

function AllProcessors() {
  const { value, error, isLoading, reload } = useProcessors()
  return (
    <>
      <PageTitle title="Processors">
        The functions that decide about messages. A change of a function's file applies to the next message.
      </PageTitle>
      {error && <Failure what="The processors could not be read" error={error} retry={reload} />}
      {!value && isLoading && <Waiting label="Reading the processors" />}
      {value?.length === 0 && <NoFunctions />}
      <div className="cards">
        {value?.map((processor) => (
          <ProcessorCard key={processor.FunctionName} processor={processor} onChanged={reload} />
        ))}
      </div>
    </>
  )
}
