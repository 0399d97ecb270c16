import { lazy, Suspense } from 'react';
import { createBrowserRouter, RouterProvider } from 'react-router-dom';
import { ErrorPage } from './error-page';
import { NotFound } from './not-found';

const Console = lazy(() => import('./console/console-page'));
const Meeting = lazy(() => import('./visit/meeting-page'));

const loading = (
  <div className="page-centre" role="status">
    <span className="spinner" aria-hidden />
    <span>Loading…</span>
  </div>
);

const router = createBrowserRouter([
  {
    path: '/',
    element: (
      <Suspense fallback={loading}>
        <Console />
      </Suspense>
    ),
    errorElement: <ErrorPage />,
  },
  {
    path: '/meeting/:code',
    element: (
      <Suspense fallback={loading}>
        <Meeting />
      </Suspense>
    ),
    errorElement: <ErrorPage />,
  },
  { path: '*', element: <NotFound /> },
]);

export function App() {
  return <RouterProvider router={router} />;
}
