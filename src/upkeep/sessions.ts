/** A user whose sessions are to be closed. Another user may have its ARN since, with another number. */
export interface DeletedUser {
  user_id: number
  app_instance_user_arn: string
}
