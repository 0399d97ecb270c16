import { useRouteError } from 'react-router-dom';
import { problemOf } from './api/problem';
import { Brand } from './ui/brand';
import { Button } from './ui/button';
import { ProblemNotice } from './ui/notice';

/** What a person sees when the page itself fails: the reason and a way out, never a blank window. */
export function ErrorPage() {
  const error = useRouteError();
  return (
    <main className="page-centre">
      <div className="card card-narrow" data-testid="page-error">
        <Brand />
        <h1>This page stopped working</h1>
        <ProblemNotice
          problem={problemOf(error)}
          actions={
            <Button tone="primary" onPress={() => window.location.reload()} data-testid="page-reload">
              Reload the page
            </Button>
          }
        />
      </div>
    </main>
  );
}
