import {
  selectIsPeerAudioEnabled,
  selectIsPeerVideoEnabled,
  selectScreenShareByPeerID,
  selectVideoTrackByPeerID,
  useAudioLevelStyles,
  useHMSStore,
  useVideo,
  type HMSPeer,
} from '@100mslive/react-sdk';
import { Hand, MicOff, MonitorUp } from 'lucide-react';
import { useRef } from 'react';

const levelStyle = (level: number): Record<string, string> => ({ '--level': String(Math.min(1, level / 60)) });

export const initials = (name: string): string =>
  name
    .trim()
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => Array.from(word)[0] ?? '')
    .join('')
    .toUpperCase();

/** One person. Every mark on it is the SDK's state of that person's tracks. */
export function PeerTile({ peer, small }: { peer: HMSPeer; small?: boolean }) {
  const track = useHMSStore(selectVideoTrackByPeerID(peer.id));
  const videoOn = useHMSStore(selectIsPeerVideoEnabled(peer.id));
  const audioOn = useHMSStore(selectIsPeerAudioEnabled(peer.id));
  const frame = useRef<HTMLElement>(null);
  const { videoRef } = useVideo({ trackId: track?.id, attach: videoOn });
  useAudioLevelStyles({ trackId: peer.audioTrack, getStyle: levelStyle, ref: frame });
  const name = peer.isLocal ? (small ? 'You' : `${peer.name} (you)`) : peer.name;
  const degraded = track?.degraded === true;
  return (
    <figure
      ref={frame}
      className={`tile ${small ? 'tile-small' : ''}`}
      data-testid={peer.isLocal ? 'tile-self' : 'tile-remote'}
      data-peer={peer.id}
      data-video={videoOn ? 'on' : 'off'}
      data-audio={audioOn ? 'on' : 'off'}
    >
      <video
        ref={videoRef}
        className={peer.isLocal && track?.facingMode !== 'environment' ? 'mirrored' : ''}
        autoPlay
        muted
        playsInline
        hidden={!videoOn}
        data-testid={peer.isLocal ? 'video-self' : 'video-remote'}
      />
      {!videoOn && (
        <span className="avatar" aria-hidden>
          {initials(peer.name)}
        </span>
      )}
      <figcaption className="tile-name">
        {!audioOn && <MicOff size={14} role="img" aria-label="Microphone off" data-testid="tile-muted" />}
        {peer.isHandRaised && <Hand size={14} role="img" aria-label="Hand raised" data-testid="tile-hand" />}
        <span>{name}</span>
        {!videoOn && <span className="sr-only">, camera off</span>}
        {degraded && <span className="tile-note">weak connection</span>}
      </figcaption>
    </figure>
  );
}

export function ScreenTile({ peer }: { peer: HMSPeer }) {
  const track = useHMSStore(selectScreenShareByPeerID(peer.id));
  const { videoRef } = useVideo({ trackId: track?.id });
  return (
    <figure className="tile tile-screen" data-testid="tile-screen" data-peer={peer.id}>
      <video ref={videoRef} autoPlay muted playsInline data-testid="video-screen" />
      <figcaption className="tile-name">
        <MonitorUp size={14} aria-hidden />
        <span>{`${peer.name} shares the screen`}</span>
      </figcaption>
    </figure>
  );
}
