export const NoFunctions = () => (
  <div className="card">
    <h2>There is no function yet</h2>
    <p>
      Put a file with an exported <code>handler</code> into the functions folder, for example{' '}
      <code>functions/allow.mjs</code>. It appears here at once. <code>docs/processors.md</code> shows how to write one.
    </p>
  </div>
)
