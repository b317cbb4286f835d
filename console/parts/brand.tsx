export const Brand = ({ large = false }) => (
  <span className={large ? 'brand brand-large' : 'brand'}>
    <img src="/icon.svg" alt="" width={large ? 40 : 26} height={large ? 40 : 26} />
    Carillon
  </span>
)
