import { useEffect } from 'react';
import { Link, useLocation } from 'react-router-dom';
import { Brand } from './ui/brand';

export function NotFound() {
  const { pathname } = useLocation();
  useEffect(() => {
    document.title = 'Page not found · Televisit';
  }, []);
  return (
    <main className="page-centre">
      <div className="card card-narrow" data-testid="not-found">
        <Brand />
        <h1>There is no page here</h1>
        <p>
          <code className="path">{pathname}</code> does not exist.
        </p>
        <p>If you followed a link to a visit, open it again from your message: it looks like “/meeting/” and a code.</p>
        <p>
          <Link className="button button-primary button-medium" to="/" data-testid="not-found-home">
            Go to today’s appointments
          </Link>
        </p>
      </div>
    </main>
  );
}
