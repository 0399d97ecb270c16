import { Button as AriaButton, type ButtonProps as AriaButtonProps } from 'react-aria-components';

export interface ButtonProps extends Omit<AriaButtonProps, 'className'> {
  tone?: 'primary' | 'quiet' | 'danger' | 'plain';
  size?: 'medium' | 'large' | 'small';
  className?: string;
  'data-testid'?: string;
}

export function Button({ tone = 'quiet', size = 'medium', className = '', ...rest }: ButtonProps) {
  return <AriaButton {...rest} className={`button button-${tone} button-${size} ${className}`} />;
}
