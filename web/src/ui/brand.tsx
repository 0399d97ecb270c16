export function Brand({ sub }: { sub?: string }) {
  return (
    <span className="brand">
      <img src="/favicon.svg" alt="" width="32" height="32" />
      <span>
        <span className="brand-name">Televisit</span>
        {sub && <span className="brand-sub">{sub}</span>}
      </span>
    </span>
  );
}
