import { selectHMSMessages, selectLocalPeerID, useHMSActions, useHMSStore } from '@100mslive/react-sdk';
import { SendHorizontal } from 'lucide-react';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { Input, Label, TextField } from 'react-aria-components';
import { formatTime } from '../lib/time';
import { Button } from '../ui/button';
import { Panel } from './panel';

export function Chat({ onClose }: { onClose: () => void }) {
  const actions = useHMSActions();
  const messages = useHMSStore(selectHMSMessages);
  const me = useHMSStore(selectLocalPeerID);
  const [draft, setDraft] = useState('');
  const [problem, setProblem] = useState<string>();
  const [sending, setSending] = useState(false);
  const end = useRef<HTMLDivElement>(null);

  useEffect(() => {
    end.current?.scrollIntoView({ block: 'end' });
    if (messages.some((message) => !message.read)) actions.setMessageRead(true);
  }, [messages, actions]);

  const send = async (event: FormEvent) => {
    event.preventDefault();
    const text = draft.trim();
    if (text === '' || sending) return;
    setSending(true);
    try {
      await actions.sendBroadcastMessage(text);
      setDraft('');
      setProblem(undefined);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : 'The message was not sent.');
    } finally {
      setSending(false);
    }
  };

  return (
    <Panel title="Chat" testId="chat-panel" onClose={onClose}>
      {/* A scrolled region needs to be reachable by keyboard. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className="chat-scroll" role="log" aria-label="Messages" tabIndex={0}>
        <ol className="chat-log" data-testid="chat-log">
          {messages.length === 0 && (
            <li className="chat-empty">No messages yet. Everybody in the visit can read what you write here.</li>
          )}
          {messages.map((message) => (
            <li key={message.id} className={message.sender === me ? 'bubble bubble-mine' : 'bubble'} data-testid="chat-message">
              <span className="bubble-head">
                <strong>{message.sender === me ? 'You' : (message.senderName ?? 'Someone')}</strong>{' '}
                <time>{formatTime(message.time.toISOString())}</time>
              </span>
              <span className="bubble-text">{String(message.message)}</span>
            </li>
          ))}
        </ol>
        <div ref={end} />
      </div>
      {problem && (
        <p className="field-error" role="alert">
          Not sent: {problem}
        </p>
      )}
      <form className="chat-form" onSubmit={(event) => void send(event)}>
        {/* The panel opens because somebody wants to write. */}
        {/* eslint-disable-next-line jsx-a11y/no-autofocus */}
        <TextField className="field chat-field" value={draft} onChange={setDraft} maxLength={2000} autoFocus>
          <Label className="sr-only">Message to everybody</Label>
          <Input className="input" placeholder="Write a message" data-testid="chat-input" autoComplete="off" />
        </TextField>
        <Button
          tone="primary"
          type="submit"
          aria-label="Send"
          isDisabled={draft.trim() === '' || sending}
          data-testid="chat-send"
        >
          <SendHorizontal aria-hidden size={18} />
        </Button>
      </form>
    </Panel>
  );
}
