/** Sessions are closed so long after the last event that they receive: the hubs have delivered it by then. */
export const sessionsAfterMs = 1_000

/** A user whose sessions are to be closed. Another user may have its ARN since, with another number. */
export interface DeletedUser {
  user_id: number
  app_instance_user_arn: string
}
